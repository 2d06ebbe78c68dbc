// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Outcome, Phase, SaleTerms, State} from "../types/SaleTypes.sol";

/// @title ISale
/// @notice A sale of tokens for ether or one ERC-20. While open it holds the money; it can pay only an investor, that
/// investor's own money, or its vault. Nobody can change its terms or move its money otherwise. The owner's and the
/// compliance's powers end with the outcome; none reaches a claim or a refund.
interface ISale {
    /// @notice A contribution, or the part of one that fell into one phase.
    /// @param investor Owner of the position.
    /// @param payer Who paid, and gets what the hard cap left over.
    /// @param phase Index of the phase whose price applied.
    /// @param amount Payment base units taken.
    /// @param tokens Token base units allotted; zero where they follow from the outcome.
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

    /// @notice Ether beyond what could be taken went back to who sent it.
    event ExcessReturned(address indexed payer, uint256 amount);

    /// @notice The sale ended. `outcome` is `Succeeded` or `Failed`, for ever.
    /// @param raised Payment base units the sale keeps on success: never above the hard cap.
    /// @param sold Token base units sold.
    event Closed(Outcome outcome, uint256 raised, uint256 sold);

    /// @notice The owner called the sale off. Everybody can have the money back, for ever.
    event Cancelled(uint256 raised, uint256 sold);

    /// @notice An investor's tokens left the sale. `to` differs from `investor` only if the investor chose so.
    event Claimed(address indexed investor, address indexed to, uint256 tokens);

    /// @notice An investor's money left the sale, exactly what was paid. `to` differs from `investor` only if the investor chose so.
    event Refunded(address indexed investor, address indexed to, uint256 amount);

    /// @notice An investor withdrew within the cooling-off: the position left the totals.
    /// @param to Who received the money.
    /// @param amount Payment base units sent, all that was paid.
    /// @param tokens Token base units that are free again.
    /// @param raised Sale's total after it.
    /// @param sold Sale's total after it.
    event Withdrawn(
        address indexed investor, address indexed to, uint256 amount, uint256 tokens, uint256 raised, uint256 sold
    );

    /// @notice Compliance rejected an investor: the position left the totals, its money waits for `refundFor`.
    /// @param amount Payment base units, all that was paid.
    /// @param tokens Token base units that are free again.
    /// @param raised Sale's total after it.
    /// @param sold Sale's total after it.
    event Rejected(
        address indexed investor, address indexed by, uint256 amount, uint256 tokens, uint256 raised, uint256 sold
    );

    /// @notice An investor's share of the outcome was written into the position, where it was not known before.
    /// @param kept Payment base units the sale keeps.
    /// @param tokens Token base units allotted.
    /// @param excess Payment base units that come back. What is missing to what was paid, at most one base unit, is dust.
    event Settled(address indexed investor, uint256 kept, uint256 tokens, uint256 excess);

    /// @notice Money that an investor had paid beyond the share came back. `to` differs from `investor` only if the investor
    /// chose so.
    event ExcessRefunded(address indexed investor, address indexed to, uint256 amount);

    /// @notice The owner paused contributions, or let them go on.
    event PauseChanged(bool paused);

    /// @notice Vouchers count from now on if `signer` signed them with `epoch`; all earlier ones are void.
    event VoucherSignerChanged(address indexed signer, uint256 epoch);

    /// @notice From now on `compliance` may reject investors, and it alone may close the sale early; zero: nobody rejects.
    event ComplianceChanged(address indexed compliance);

    /// @notice Another whitepaper takes the place of the one before.
    /// @param version 1 for the first that supersedes the one of the sale's creation.
    /// @param hash SHA-256 of the whitepaper.
    /// @param uri Where it is served; may be empty.
    event WhitepaperSuperseded(uint256 indexed version, bytes32 hash, string uri);

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

    /// @notice The owner has paused contributions. Everything else goes on.
    error ContributionsPaused();

    /// @notice Compliance has rejected this investor.
    error InvestorRejected(address investor);

    /// @notice Everything is sold.
    error SoldOut(uint256 hardCap);

    /// @notice `amount` buys less than one base unit of the token.
    error ZeroTokens(uint256 amount);

    /// @notice The investor would have paid `paid` in all, below the minimum.
    error BelowMinimum(uint256 minPaid, uint256 paid);

    /// @notice The investor would have paid `paid` in all, above the maximum.
    error AboveMaximum(uint256 maxPaid, uint256 paid);

    /// @notice The sale can be closed from `closes` on. Before it, only once sold out, without a cooling-off, and where there is
    /// compliance by it alone.
    error SaleNotEnded(uint256 closes);

    /// @notice The outcome is latched already.
    error AlreadyClosed(Outcome outcome);

    /// @notice Only `compliance` may do this; zero: nobody.
    error OnlyCompliance(address compliance, address caller);

    /// @notice Vouchers need a signer other than the zero address.
    error SignerZero();

    /// @notice Contributions are in this state already.
    error PauseUnchanged(bool paused);

    /// @notice This sale has no cooling-off.
    error NoCoolingOff();

    /// @notice The investor could withdraw before `until`.
    error CoolingOffOver(uint256 until);

    /// @notice This investor has nothing to withdraw.
    error NothingToWithdraw(address investor);

    /// @notice This investor has no position that could be rejected.
    error NothingToReject(address investor);

    /// @notice No rejecting from `closes` on: then everybody's share is certain.
    error RejectTooLate(uint256 closes);

    /// @notice Some of the investor's tokens are still to come, the next from `from` on.
    error NothingVested(address investor, uint256 from);

    /// @notice The sale has not succeeded, so its money is not the vault's.
    error NotSucceeded(State state);

    /// @notice The hash is that of the whitepaper in force.
    error WhitepaperUnchanged(bytes32 hash);

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

    /// @notice Contributes `amount` for `investor`. Of an amount that crosses the hard cap, or the end of the phases that the
    /// investor is eligible for, only the part below is taken: ether beyond goes back to the sender in the same call, an
    /// ERC-20 is pulled for the part alone.
    /// @param investor Owner of the position; the limits are checked on it.
    /// @param amount Payment base units. With ether it must equal the value sent.
    /// @param eligibility Proof for the phase's gate, packed as `Gates` says; not looked at where the phase is open to all.
    /// @return accepted Payment base units taken.
    /// @return tokens Token base units allotted; zero where they follow from the outcome.
    function contribute(address investor, uint256 amount, bytes calldata eligibility)
        external
        payable
        returns (uint256 accepted, uint256 tokens);

    /// @notice As `contribute`, of an ERC-20 whose approval comes as an ERC-2612 permit of the sender for `amount`. A permit
    /// that somebody else has used already does no harm: then the approval is there.
    function contributeWithPermit(
        address investor,
        uint256 amount,
        bytes calldata eligibility,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 accepted, uint256 tokens);

    /// @notice Sends the sender all it paid and gives up the position, within the cooling-off.
    /// @return amount Payment base units sent.
    function withdraw() external returns (uint256 amount);

    /// @notice As `withdraw`, to `to`: for an address that is blocked.
    /// @return amount Payment base units sent.
    function withdrawTo(address to) external returns (uint256 amount);

    /// @notice Takes a position out of the sale: compliance's, before the end. Its money waits for `refundFor`, at once and for
    /// ever, whatever the outcome; the investor cannot contribute again.
    function reject(address investor) external;

    /// @notice Pauses contributions or lets them go on: the owner's, before an outcome. Nothing else is paused.
    function setPaused(bool paused) external;

    /// @notice Names who signs vouchers, and voids all earlier ones: the owner's. With the signer of now it only voids them.
    function setVoucherSigner(address signer) external;

    /// @notice Names who may reject investors and close a sold-out sale early. Zero: nobody rejects, and anybody closes. The
    /// owner's.
    function setCompliance(address compliance) external;

    /// @notice Publishes another whitepaper in place of the one in force: the owner's. Earlier ones stay on record.
    function supersedeWhitepaper(bytes32 hash, string calldata uri) external;

    /// @notice Latches `Succeeded` or `Failed`. Open to everyone from the end on. A sale that is sold out and has no cooling-off
    /// can be closed before: by compliance, by everyone where there is none. Tries to send the unsold tokens home; if their
    /// token refuses, the outcome is latched all the same.
    function close() external;

    /// @notice Latches `Cancelled`: the owner's, before the end and below the soft cap.
    function cancel() external;

    /// @notice Sends the unsold tokens where the terms say; all of them to the owner if the sale did not succeed.
    function returnUnsold() external;

    /// @notice Sends `investor` the tokens that are free and, the first time, the excess, after success. Anyone may call it.
    /// @return tokens Token base units sent.
    function claim(address investor) external returns (uint256 tokens);

    /// @notice As `claim`, the sender's own, to `to`.
    /// @return tokens Token base units sent.
    function claimTo(address to) external returns (uint256 tokens);

    /// @notice Sends `investor` exactly what it paid, after failure, cancellation or its rejection; after a success the excess
    /// alone, without the tokens, so that nothing about the token can hold money back. Anyone may call it.
    /// @return amount Payment base units sent.
    function refundFor(address investor) external returns (uint256 amount);

    /// @notice As `refundFor`, the sender's own, to `to`: for an address that is blocked.
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

    /// @return raised Payment base units of all positions; in a pro-rata sale it can be above the hard cap.
    /// @return sold Token base units allotted in all; where they follow from the outcome, zero before it.
    /// @return outcome The latched outcome.
    function totals() external view returns (uint256 raised, uint256 sold, Outcome outcome);

    /// @return Whether contributions are paused.
    function paused() external view returns (bool);

    /// @return Second in which success or failure was latched; vesting and tap count from it. Zero before, and if cancelled.
    function settledAt() external view returns (uint256);

    /// @return Who may reject investors, and alone close a sold-out sale early; zero: nobody rejects, and anybody closes.
    function compliance() external view returns (address);

    /// @return signer Whose vouchers count.
    /// @return epoch The epoch they must name.
    function voucherSigner() external view returns (address signer, uint256 epoch);

    /// @return SHA-256 of the whitepapers that superseded the one of the sale's creation, in order.
    function whitepapers() external view returns (bytes32[] memory);

    /// @return The factory that this sale says it comes from; its `predict` tells whether that is true.
    function factory() external view returns (address);

    /// @notice What a contribution of `amount` would get in this block, limits and gates apart. Before the outcome of an
    /// auction it is the least, to one base unit, of a pro-rata sale the most that it can become; a pro-rata sale has no quote
    /// above its hard cap.
    /// @return accepted Payment base units that would be taken.
    /// @return tokens Token base units at the price of this block.
    function quote(uint256 amount) external view returns (uint256 accepted, uint256 tokens);

    /// @notice The phase of this block; reverts with `SaleNotOpen` or `SoldOut` where there is none.
    /// @return index Index in the terms.
    /// @return phase The phase.
    function activePhase() external view returns (uint256 index, Phase memory phase);

    /// @return Price of this block, payment base units per 1e18 token base units; reverts as `activePhase` does.
    function price() external view returns (uint256);

    /// @return until First second in which `investor` can no longer withdraw; zero if it has nothing, or never could.
    function coolingOffUntil(address investor) external view returns (uint256 until);

    /// @notice What `claim` would send now.
    /// @return tokens Token base units.
    /// @return excess Payment base units.
    function claimable(address investor) external view returns (uint256 tokens, uint256 excess);

    /// @return Token base units that `investor` claimed of an allotment that vests; of others nothing is noted.
    function claimedOf(address investor) external view returns (uint256);

    /// @return What the sale kept of `investor`'s money, payment base units, rounded down; zero without success. All of them add
    /// up to at most what the vault got.
    function stakeOf(address investor) external view returns (uint256);

    /// @return paid Payment base units that `investor` paid and was not refunded; once settled, what the sale kept of them.
    /// @return tokens Token base units allotted to `investor` and not claimed.
    function positionOf(address investor) external view returns (uint256 paid, uint256 tokens);

    /// @return Address of the vault that takes the money after success.
    function vault() external view returns (address);
}
