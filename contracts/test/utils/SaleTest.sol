// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {FixedPriceSale} from "../../src/FixedPriceSale.sol";
import {RefundVault} from "../../src/RefundVault.sol";
import {SaleFactory} from "../../src/SaleFactory.sol";
import {SaleToken} from "../../src/SaleToken.sol";
import {Currency} from "../../src/types/Currency.sol";
import {Documents, Gate, Mode, Phase, SaleTerms, Unsold} from "../../src/types/SaleTypes.sol";

/// @notice A factory, a token and terms that work: 4 phases, 10 to 100 ether, 1,000 tokens an ether and dearer.
abstract contract SaleTest is Test {
    uint40 internal constant OPENS = 1_900_000_000;
    uint40 internal constant CLOSES = OPENS + 4 days;

    address internal owner = makeAddr("owner");
    address internal beneficiary = makeAddr("beneficiary");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");

    SaleFactory internal factory;
    SaleToken internal token;

    function setUp() public virtual {
        vm.warp(OPENS - 1 days);
        factory = new SaleFactory();
        token = new SaleToken("Aurora", "AUR", 10_000_000e18, "");
        token.approve(address(factory), type(uint256).max);
        vm.deal(alice, 1000 ether);
        vm.deal(bob, 1000 ether);
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
        t.phases[0] = Phase({end: OPENS + 1 days, raisedUpTo: 20 ether, price: 0.001 ether, gate: Gate.Open});
        t.phases[1] = Phase({end: OPENS + 2 days, raisedUpTo: 40 ether, price: 0.002 ether, gate: Gate.Open});
        t.phases[2] = Phase({end: OPENS + 3 days, raisedUpTo: 70 ether, price: 0.003 ether, gate: Gate.Open});
        t.phases[3] = Phase({end: CLOSES, raisedUpTo: 100 ether, price: 0.004 ether, gate: Gate.Open});
    }

    function documents() internal pure returns (Documents memory d) {
        d.name = "Aurora";
        d.saleHash = sha256("sale file");
        d.saleURI = "https://example.org/sale.toml";
    }

    function createSale(SaleTerms memory t) internal returns (FixedPriceSale sale, RefundVault vault) {
        (address s, address v) = factory.create(Mode.FixedPrice, t, documents());
        return (FixedPriceSale(payable(s)), RefundVault(payable(v)));
    }
}
