// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Currency} from "./Currency.sol";

/// @notice How the price is formed.
/// `FixedPrice`: each phase has its price, and a contribution is allotted its tokens at once.
/// `ProRata`: one price; the sale takes more than its hard cap, everybody gets the same share, the excess comes back.
/// `DutchAuction`: the price falls; all pay the clearing price.
enum Mode {
    FixedPrice,
    ProRata,
    DutchAuction
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

/// @notice Who may contribute in a phase.
/// `Open`: everybody. `Voucher`: who has a voucher by the sale's signer. `Merkle`: who is on the phase's list.
enum Gate {
    Open,
    Voucher,
    Merkle
}

/// @notice When tokens can be claimed, counted from the second in which success was latched.
/// @param atOnce Share that is free at once, in hundredths of a percent; all of them if `duration` is zero.
/// @param cliff Seconds before which nothing but that share can be claimed.
/// @param duration Seconds over which the rest vests linearly; at least `cliff`. Zero: everything at once.
struct Vesting {
    uint16 atOnce;
    uint32 cliff;
    uint32 duration;
}

/// @notice When the beneficiary gets the money, counted from the second in which success was latched.
/// @param atOnce Share that is due at once, in hundredths of a percent; all of it if `duration` is zero.
/// @param duration Seconds over which the rest falls due linearly. Zero: everything at once, and nothing to object to.
/// @param objection Share of the money, in hundredths of a percent, that objecting investors must exceed to stop the tap for
/// ever; zero: nobody can object.
struct Tap {
    uint16 atOnce;
    uint32 duration;
    uint16 objection;
}

/// @notice Tokens that the team keeps: they vest in a wallet created with the sale, and only if the sale succeeds.
/// @param beneficiary First owner of the wallet.
/// @param amount Token base units.
/// @param cliff Seconds after the end of the sale before which nothing vests.
/// @param duration Seconds after the end of the sale over which everything vests linearly; at least `cliff`.
struct Allocation {
    address beneficiary;
    uint120 amount;
    uint64 cliff;
    uint64 duration;
}

/// @notice One price for part of a sale. A phase is active while it is the first with `now < end` and `raised < raisedUpTo`.
/// @param end Unix time in seconds; the phase is over from this second on.
/// @param raisedUpTo Cumulative cap of the whole sale, in payment base units, up to which this phase sells.
/// @param price Payment base units per 1e18 token base units. In an auction it is the price with which the phase begins: it
/// falls linearly to the next phase's; the last phase keeps its own.
/// @param gate Who may contribute.
/// @param root Root of the list of a `Merkle` gate; zero with the other gates.
struct Phase {
    uint40 end;
    uint120 raisedUpTo;
    uint128 price;
    Gate gate;
    bytes32 root;
}

/// @notice The terms of a sale: fixed at creation, written into the sale's code, changed by nobody.
/// @param owner First owner: may cancel below the soft cap, pause contributions and name signer and compliance; receives
/// unsold tokens. The role can be handed on in two steps.
/// @param compliance First address that may reject investors, and alone close a sold-out sale early; zero: nobody rejects, and
/// anybody closes.
/// @param signer First address whose vouchers count, a key or a contract (ERC-1271); zero if no phase asks for vouchers.
/// @param beneficiary Receives the money of a successful sale.
/// @param token What is sold.
/// @param currency What is paid with.
/// @param opens Unix time in seconds of the first second in which one can contribute.
/// @param coolingOff Seconds after an investor's latest contribution in which it may withdraw, until the end of the sale;
/// zero: not at all. Counted up to ten minutes longer, never shorter.
/// @param softCap Goal in payment base units; below it everybody gets the money back.
/// @param hardCap Most that is kept, in payment base units; equals the last phase's `raisedUpTo`.
/// @param minPaid Least an investor may have paid after a contribution, cumulatively.
/// @param maxPaid Most an investor may have paid, cumulatively.
/// @param tokensForSale Token base units that the sale holds before it can open.
/// @param unsold What becomes of unsold tokens after success.
/// @param vesting When tokens can be claimed.
/// @param tap When the beneficiary gets the money.
/// @param phases One to eight, in the order of their ends; the last end is the end of the sale.
struct SaleTerms {
    address owner;
    address compliance;
    address signer;
    address beneficiary;
    address token;
    Currency currency;
    uint40 opens;
    uint32 coolingOff;
    uint120 softCap;
    uint120 hardCap;
    uint120 minPaid;
    uint120 maxPaid;
    uint120 tokensForSale;
    Unsold unsold;
    Vesting vesting;
    Tap tap;
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

/// @notice What kind of token is created with a sale. `Restricted`: only approved holders may receive it (ERC-1404).
enum TokenKind {
    Plain,
    Restricted
}

/// @notice A token to be created together with its sale.
/// @param kind What kind.
/// @param name ERC-20 name.
/// @param symbol ERC-20 symbol.
/// @param supply Fixed supply in base units of 1e-18; what is not for sale goes to the sale's owner.
/// @param contractURI ERC-7572 metadata; may be empty.
struct TokenTerms {
    TokenKind kind;
    string name;
    string symbol;
    uint256 supply;
    string contractURI;
}
