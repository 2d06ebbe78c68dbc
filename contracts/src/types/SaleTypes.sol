// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Currency} from "./Currency.sol";

/// @notice How the price is formed. More modes take the next numbers.
enum Mode {
    FixedPrice
}

/// @notice Where a sale stands now. The last three are latched outcomes, the others follow from time.
enum State {
    Upcoming,
    Open,
    Ended,
    Succeeded,
    Failed,
    Cancelled
}

/// @notice The latched outcome; `None` until `close` or `cancel`.
enum Outcome {
    None,
    Succeeded,
    Failed,
    Cancelled
}

/// @notice What becomes of tokens that a successful sale did not sell.
enum Unsold {
    ToOwner,
    Burn
}

/// @notice Who may contribute in a phase. More gates take the next numbers.
enum Gate {
    Open
}

/// @notice One price for part of a sale. A phase is active while it is the first with `now < end` and `raised < raisedUpTo`.
/// @param end Unix time in seconds; the phase is over from this second on.
/// @param raisedUpTo Cumulative cap of the whole sale, in payment base units, up to which this phase sells.
/// @param price Payment base units per 1e18 token base units.
/// @param gate Who may contribute.
struct Phase {
    uint40 end;
    uint120 raisedUpTo;
    uint128 price;
    Gate gate;
}

/// @notice The terms of a sale: fixed at creation, written into the sale's code, changed by nobody.
/// @param owner May cancel below the soft cap and receives unsold tokens.
/// @param beneficiary Receives the money of a successful sale.
/// @param token What is sold.
/// @param currency What is paid with.
/// @param opens Unix time in seconds of the first second in which one can contribute.
/// @param softCap Goal in payment base units; below it everybody gets the money back.
/// @param hardCap Most that is taken, in payment base units; equals the last phase's `raisedUpTo`.
/// @param minPaid Least an investor may have paid after a contribution, cumulatively.
/// @param maxPaid Most an investor may have paid, cumulatively.
/// @param tokensForSale Token base units that the sale holds before it can open.
/// @param unsold What becomes of unsold tokens after success.
/// @param phases One to eight, in the order of their ends; the last end is the end of the sale.
struct SaleTerms {
    address owner;
    address beneficiary;
    address token;
    Currency currency;
    uint40 opens;
    uint120 softCap;
    uint120 hardCap;
    uint120 minPaid;
    uint120 maxPaid;
    uint120 tokensForSale;
    Unsold unsold;
    Phase[] phases;
}

/// @notice What was published before the sale, pinned by hash in the creating event and in the sale's address.
/// @param name Name of the sale, for people.
/// @param saleHash SHA-256 of the sale file.
/// @param saleURI Where the sale file is served; may be empty.
/// @param whitepaperHash SHA-256 of the whitepaper; zero if there is none.
/// @param whitepaperURI Where the whitepaper is served; may be empty.
struct Documents {
    string name;
    bytes32 saleHash;
    string saleURI;
    bytes32 whitepaperHash;
    string whitepaperURI;
}

/// @notice A token to be created together with its sale.
/// @param name ERC-20 name.
/// @param symbol ERC-20 symbol.
/// @param supply Fixed supply in base units of 1e-18; what is not for sale goes to the sale's owner.
/// @param contractURI ERC-7572 metadata; may be empty.
struct TokenTerms {
    string name;
    string symbol;
    uint256 supply;
    string contractURI;
}
