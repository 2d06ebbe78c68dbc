// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Outcome, Phase, SaleTerms, State} from "../types/SaleTypes.sol";

/// @title ISale
/// @notice A sale of tokens for ether or one ERC-20. While open it holds the money; it can pay only an investor, that
/// investor's own money, or its vault. Nobody can change its terms or move its money otherwise.
interface ISale {
    /// @notice A contribution, or the part of one that fell into one phase.
    /// @param investor Owner of the position.
    /// @param payer Who paid, and gets what the hard cap left over.
    /// @param phase Index of the phase whose price applied.
    /// @param amount Payment base units taken.
    /// @param tokens Token base units allotted.
    /// @param paid Investor's total so far, payment base units.
    /// @param raised Sale's total so far, payment base units.
    /// @param sold Sale's total so far, token base units.
    event Contributed(
        address indexed investor,
        address indexed payer,
        uint256 phase,
        uint256 amount,
        uint256 tokens,
        uint256 paid,
        uint256 raised,
        uint256 sold
    );

    /// @notice Ether beyond the hard cap went back to who sent it.
    event ExcessReturned(address indexed payer, uint256 amount);

    /// @notice The sale ended. `outcome` is `Succeeded` or `Failed`, for ever.
    event Closed(Outcome outcome, uint256 raised, uint256 sold);

    /// @notice The owner called the sale off. Everybody can have the money back, for ever.
    event Cancelled(uint256 raised, uint256 sold);

    /// @notice An investor's tokens left the sale. `to` differs from `investor` only if the investor chose so.
    event Claimed(address indexed investor, address indexed to, uint256 tokens);

    /// @notice An investor's money left the sale, exactly what was paid. `to` differs from `investor` only if the investor chose so.
    event Refunded(address indexed investor, address indexed to, uint256 amount);

    /// @notice Tokens that were not sold left the sale. `to` is zero where they were burnt.
    event UnsoldReturned(address indexed to, uint256 tokens);

    /// @notice The money of a successful sale went to the vault.
    event Swept(uint256 amount);

    /// @notice This is the code that sales share, not a sale.
    error NotASale();

    /// @notice Contributions are taken in `[opens, closes)` and before an outcome is latched.
    error SaleNotOpen(uint256 opens, uint256 closes, Outcome outcome);

    /// @notice The position would belong to the zero address, or to the sale itself.
    error InvalidInvestor(address investor);

    /// @notice Ether sent differs from the amount named; no ether may come with an ERC-20 contribution.
    error WrongValue(uint256 expected, uint256 sent);

    /// @notice This sale is paid in `currency`, not in ether.
    error EtherNotAccepted(address currency);

    /// @notice The active phase is open to all and takes no proof of eligibility.
    error EligibilityNotExpected();

    /// @notice Everything is sold.
    error SoldOut(uint256 hardCap);

    /// @notice `amount` buys less than one base unit of the token.
    error ZeroTokens(uint256 amount);

    /// @notice The investor would have paid `paid` in all, below the minimum.
    error BelowMinimum(uint256 minPaid, uint256 paid);

    /// @notice The investor would have paid `paid` in all, above the maximum.
    error AboveMaximum(uint256 maxPaid, uint256 paid);

    /// @notice The sale can be closed from `closes` on, or once sold out.
    error SaleNotEnded(uint256 closes);

    /// @notice The outcome is latched already.
    error AlreadyClosed(Outcome outcome);

    /// @notice Only `owner` may do this.
    error OnlyOwner(address owner, address caller);

    /// @notice Only the vault of this sale may do this.
    error OnlyVault(address vault, address caller);

    /// @notice No cancelling from `closes` on.
    error CancelTooLate(uint256 closes);

    /// @notice No cancelling once the soft cap is reached.
    error SoftCapReached(uint256 softCap, uint256 raised);

    /// @notice Tokens are claimed after success only.
    error NotClaimable(State state);

    /// @notice This investor has no tokens to claim, or has claimed them.
    error NothingToClaim(address investor);

    /// @notice Money is refunded after failure or cancellation only.
    error NotRefundable(State state);

    /// @notice This investor has no money to be refunded, or has had it.
    error NothingToRefund(address investor);

    /// @notice Tokens or money cannot be sent to the zero address.
    error InvalidReceiver(address to);

    /// @notice Before an outcome there are no unsold tokens.
    error NotSettled(State state);

    /// @notice Less gas is left than the sold token may need to move the unsold. Without this, the lowest gas limit with which
    /// closing succeeds, which is what wallets estimate, would be one that leaves the unsold behind.
    error GasTooLow(uint256 available, uint256 needed);

    /// @notice No unsold token is left in the sale.
    error NothingUnsold();

    /// @notice The money has gone to the vault already.
    error AlreadySwept();

    /// @notice Contributes ether for the sender: a wallet's plain transfer.
    receive() external payable;

    /// @notice Contributes `amount` for `investor`. Of an amount that crosses the hard cap only the part below is taken: ether
    /// beyond goes back to the sender in the same call, an ERC-20 is pulled for the part alone.
    /// @param investor Owner of the position; the limits are checked on it.
    /// @param amount Payment base units. With ether it must equal the value sent.
    /// @param eligibility Proof for the phase's gate; empty where the phase is open to all.
    /// @return accepted Payment base units taken.
    /// @return tokens Token base units allotted.
    function contribute(address investor, uint256 amount, bytes calldata eligibility)
        external
        payable
        returns (uint256 accepted, uint256 tokens);

    /// @notice Latches `Succeeded` or `Failed`. Open to everyone, from the end on or once sold out. Tries to send the unsold
    /// tokens home; if their token refuses, the outcome is latched all the same.
    function close() external;

    /// @notice Latches `Cancelled`: the owner's, before the end and below the soft cap.
    function cancel() external;

    /// @notice Sends the unsold tokens where the terms say; all of them to the owner if the sale did not succeed.
    function returnUnsold() external;

    /// @notice Sends `investor` its tokens, after success. Anyone may call it.
    /// @return tokens Token base units sent.
    function claim(address investor) external returns (uint256 tokens);

    /// @notice Sends the sender's tokens to `to`, after success.
    /// @return tokens Token base units sent.
    function claimTo(address to) external returns (uint256 tokens);

    /// @notice Sends `investor` exactly what it paid, after failure or cancellation. Anyone may call it.
    /// @return amount Payment base units sent.
    function refund(address investor) external returns (uint256 amount);

    /// @notice Sends exactly what the sender paid to `to`, after failure or cancellation: for an address that is blocked.
    /// @return amount Payment base units sent.
    function refundTo(address to) external returns (uint256 amount);

    /// @notice Sends the money of a successful sale to the vault, once. Only the vault may call it.
    /// @return amount Payment base units sent.
    function sweep() external returns (uint256 amount);

    /// @return What the sale was created with.
    function terms() external view returns (SaleTerms memory);

    /// @return Where the sale stands now.
    function state() external view returns (State);

    /// @return First second in which nobody can contribute any more.
    function closes() external view returns (uint256);

    /// @return raised Payment base units taken in all.
    /// @return sold Token base units allotted in all.
    /// @return outcome The latched outcome.
    function totals() external view returns (uint256 raised, uint256 sold, Outcome outcome);

    /// @return paid Payment base units that `investor` paid and was not refunded.
    /// @return tokens Token base units allotted to `investor` and not claimed.
    function positionOf(address investor) external view returns (uint256 paid, uint256 tokens);

    /// @return Address of the vault that takes the money after success.
    function vault() external view returns (address);
}
