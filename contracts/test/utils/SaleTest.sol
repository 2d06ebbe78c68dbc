// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";

import {DutchAuctionSale} from "../../src/DutchAuctionSale.sol";
import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {ProRataSale} from "../../src/ProRataSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {Sale} from "../../src/Sale.sol";
import {SaleFactory} from "../../src/SaleFactory.sol";
import {SaleToken} from "../../src/SaleToken.sol";
import {TeamWallet} from "../../src/TeamWallet.sol";
import {TokenFactory} from "../../src/TokenFactory.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {Currency} from "../../src/types/Currency.sol";
import {
    Allocation,
    Documents,
    Gate,
    Mode,
    Outcome,
    Phase,
    SaleTerms,
    State,
    Unsold
} from "../../src/types/SaleTypes.sol";

/// @notice A factory, a token and terms that work: 4 phases, 10 to 100 ether, 1,000 tokens an ether and dearer.
abstract contract SaleTest is Test {
    uint40 internal constant OPENS = 1_900_000_000;
    uint40 internal constant CLOSES = OPENS + 4 days;

    uint256 private constant POSITIONS_SLOT = 7;

    address internal owner = makeAddr("owner");
    address internal beneficiary = makeAddr("beneficiary");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");

    SaleFactory internal factory;
    SaleToken internal token;

    function setUp() public virtual {
        vm.warp(OPENS - 1 days);
        factory = deployFactory();
        token = new SaleToken("Aurora", "AUR", 10_000_000e18, "", address(this));
        token.approve(address(factory), type(uint256).max);
        vm.deal(alice, 1000 ether);
        vm.deal(bob, 1000 ether);
        vm.deal(carol, 1000 ether);
    }

    function deployFactory() internal returns (SaleFactory) {
        address vault = address(new RefundVault());
        return new SaleFactory(
            SaleFactory.Implementations({
                fixedPriceSale: address(new FixedPriceSale(vault)),
                proRataSale: address(new ProRataSale(vault)),
                dutchAuctionSale: address(new DutchAuctionSale(vault)),
                refundVault: vault,
                teamWallet: address(new TeamWallet()),
                tokenFactory: address(new TokenFactory())
            })
        );
    }

    function terms() internal view returns (SaleTerms memory t) {
        t.owner = owner;
        t.beneficiary = beneficiary;
        t.token = address(token);
        t.currency = Currency.wrap(address(0));
        t.opens = OPENS;
        t.softCap = 10 ether;
        t.hardCap = 100 ether;
        t.minPaid = 0.01 ether;
        t.maxPaid = 50 ether;
        t.tokensForSale = 100_000e18;
        t.unsold = Unsold.ToOwner;
        t.phases = new Phase[](4);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: 20 ether, price: 0.001 ether, gate: Gate.Open, root: 0});
        t.phases[1] = Phase({end: OPENS + 2 days, raisedUpTo: 40 ether, price: 0.002 ether, gate: Gate.Open, root: 0});
        t.phases[2] = Phase({end: OPENS + 3 days, raisedUpTo: 70 ether, price: 0.003 ether, gate: Gate.Open, root: 0});
        t.phases[3] = Phase({end: CLOSES, raisedUpTo: 100 ether, price: 0.004 ether, gate: Gate.Open, root: 0});
    }

    /// @dev The same terms with one phase, up to the hard cap, at `price`.
    function onePhase(uint128 price) internal view returns (SaleTerms memory t) {
        t = terms();
        t.phases = new Phase[](1);
        t.phases[0] = Phase({end: CLOSES, raisedUpTo: t.hardCap, price: price, gate: Gate.Open, root: 0});
    }

    /// @dev The same terms with every amount of money in the base units of a currency with `decimals`.
    function paidIn(address currency, uint8 decimals) internal view returns (SaleTerms memory t) {
        t = terms();
        t.currency = Currency.wrap(currency);
        uint256 unit = 10 ** (18 - decimals);
        t.softCap = uint120(t.softCap / unit);
        t.hardCap = uint120(t.hardCap / unit);
        t.minPaid = uint120(t.minPaid / unit);
        t.maxPaid = uint120(t.maxPaid / unit);
        for (uint256 i = 0; i < t.phases.length; ++i) {
            t.phases[i].raisedUpTo = uint120(t.phases[i].raisedUpTo / unit);
            t.phases[i].price = uint128(t.phases[i].price / unit);
        }
    }

    function documents() internal pure returns (Documents memory d) {
        d.name = "Aurora";
        // Not `sha256`: its precompile would be the call that `expectRevert` waits for.
        d.saleHash = bytes32(uint256(0x5a1e));
        d.saleURI = "https://example.org/sale.toml";
    }

    function noAllocations() internal pure returns (Allocation[] memory) {}

    function createSale(SaleTerms memory t) internal returns (FixedPriceSale sale, RefundVault vault) {
        (address s, address v) = factory.create(Mode.FixedPrice, t, documents(), noAllocations());
        return (FixedPriceSale(payable(s)), RefundVault(payable(v)));
    }

    function create(Mode mode, SaleTerms memory t) internal returns (Sale sale, RefundVault vault) {
        (address s, address v) = factory.create(mode, t, documents(), noAllocations());
        return (Sale(payable(s)), RefundVault(payable(v)));
    }

    /// @dev The same terms at one price, 1,000 tokens an ether, in two phases: all 100,000 tokens for the hard cap.
    function proRata() internal view returns (SaleTerms memory t) {
        t = terms();
        (t.minPaid, t.maxPaid) = (0, t.hardCap);
        t.phases = new Phase[](2);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: 100 ether, price: 0.001 ether, gate: Gate.Open, root: 0});
        t.phases[1] = Phase({end: CLOSES, raisedUpTo: 100 ether, price: 0.001 ether, gate: Gate.Open, root: 0});
    }

    /// @dev The same terms with a price that falls from 0.004 over 0.003 to 0.001 ether a token, which it keeps for a day;
    /// 50,000 tokens, so that the price alone decides.
    function dutch() internal view returns (SaleTerms memory t) {
        t = terms();
        (t.minPaid, t.maxPaid, t.tokensForSale, t.hardCap) = (0, 200 ether, 50_000e18, 200 ether);
        t.phases = new Phase[](3);
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: 200 ether, price: 0.004 ether, gate: Gate.Open, root: 0});
        t.phases[1] = Phase({end: OPENS + 3 days, raisedUpTo: 200 ether, price: 0.003 ether, gate: Gate.Open, root: 0});
        t.phases[2] = Phase({end: CLOSES, raisedUpTo: 200 ether, price: 0.001 ether, gate: Gate.Open, root: 0});
    }

    /// @dev Ether from `investor` for itself.
    function buy(ISale sale, address investor, uint256 amount) internal returns (uint256 accepted, uint256 tokens) {
        vm.prank(investor);
        return sale.contribute{value: amount}(investor, amount, "");
    }

    /// @dev An ERC-20 that `investor` has, for itself; approves first.
    function buyWith(address currency, ISale sale, address investor, uint256 amount)
        internal
        returns (uint256 accepted, uint256 tokens)
    {
        vm.startPrank(investor);
        IERC20(currency).approve(address(sale), amount);
        (accepted, tokens) = sale.contribute(investor, amount, "");
        vm.stopPrank();
    }

    /// @return The word that the sale keeps for `investor`, with the mark that no view shows.
    function storedPosition(ISale sale, address investor) internal view returns (uint256) {
        return uint256(vm.load(address(sale), keccak256(abi.encode(investor, POSITIONS_SLOT))));
    }

    function assertPosition(ISale sale, address investor, uint256 paid, uint256 tokens) internal view {
        (uint256 paid_, uint256 tokens_) = sale.positionOf(investor);
        assertEq(paid_, paid, "paid");
        assertEq(tokens_, tokens, "tokens");
    }

    function assertTotals(ISale sale, uint256 raised, uint256 sold, Outcome outcome) internal view {
        (uint256 raised_, uint256 sold_, Outcome outcome_) = sale.totals();
        assertEq(raised_, raised, "raised");
        assertEq(sold_, sold, "sold");
        assertEq(uint256(outcome_), uint256(outcome), "outcome");
    }

    function assertState(ISale sale, State expected) internal view {
        assertEq(uint256(sale.state()), uint256(expected), "state");
    }
}
