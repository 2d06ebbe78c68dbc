// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {RefundVault} from "../../src/RefundVault.sol";
import {Sale} from "../../src/Sale.sol";
import {ISale} from "../../src/interfaces/ISale.sol";
import {Gates} from "../../src/libraries/Gates.sol";
import {Gate, Mode, SaleTerms, State} from "../../src/types/SaleTypes.sol";
import {Eligibility} from "../utils/Eligibility.sol";
import {SaleTest} from "../utils/SaleTest.sol";

contract Dollar is ERC20Permit {
    constructor() ERC20("Dollar", "USD") ERC20Permit("Dollar") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice The rows about signatures, roles and withdrawals: one test for each, that fails against the design that failed.
contract GateFailuresTest is SaleTest, Eligibility {
    Sale private sale;
    RefundVault private vault;
    address private signer;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        (signer, key) = makeAddrAndKey("signer");
        _create(_terms());
    }

    /// @notice Row "signature reuse": a permission used again, for more than it was given for. Here its limit is cumulative.
    function test_SignatureReuse_TheLimitIsSpentOnce() external {
        bytes memory eligibility = signed(key, _voucher());
        _contribute(alice, 5 ether, eligibility);
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 5 ether, 5.01 ether));
        _contribute(alice, 0.01 ether, eligibility);
    }

    /// @notice Row "signature reuse": a permission for one sale, good for the next of the same team.
    function test_SignatureReuse_AnotherSaleKnowsNothingOfIt() external {
        bytes memory eligibility = signed(key, _voucher());
        SaleTerms memory t = _terms();
        ++t.softCap;
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(Gates.VoucherInvalid.selector, alice, signer, 0));
        _contribute(alice, 1 ether, eligibility);
    }

    /// @notice Row "no expiry".
    function test_NoExpiry_AVoucherEnds() external {
        Voucher memory v = _voucher();
        v.deadline = OPENS;
        bytes memory eligibility = signed(key, v);
        vm.warp(OPENS + 1);
        vm.expectRevert(abi.encodeWithSelector(Gates.VoucherExpired.selector, OPENS, OPENS + 1));
        _contribute(alice, 1 ether, eligibility);
    }

    /// @notice Row "a permit digest without chain id or contract".
    function test_DigestWithoutDomain_ChainAndSaleAreSigned() external {
        Voucher memory v = _voucher();
        v.chainId = 1;
        bytes memory otherChain = signed(key, v);
        v = _voucher();
        v.sale = address(vault);
        bytes memory otherContract = signed(key, v);
        bytes memory reason = abi.encodeWithSelector(Gates.VoucherInvalid.selector, alice, signer, 0);
        vm.expectRevert(reason);
        _contribute(alice, 1 ether, otherChain);
        vm.expectRevert(reason);
        _contribute(alice, 1 ether, otherContract);
    }

    /// @notice Row "permit front-run": who uses it first must not block the contribution.
    function test_PermitFrontRun_DoesNoHarm() external {
        Dollar usd = new Dollar();
        (address investor, uint256 investorKey) = makeAddrAndKey("investor");
        usd.mint(investor, 5 ether);
        _create(paidIn(address(usd), 18));
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                investor,
                address(sale),
                5 ether,
                0,
                CLOSES
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(investorKey, keccak256(abi.encodePacked(hex"1901", usd.DOMAIN_SEPARATOR(), content)));
        vm.prank(bob);
        usd.permit(investor, address(sale), 5 ether, CLOSES, v, r, s);
        vm.prank(investor);
        sale.contributeWithPermit(investor, 5 ether, "", CLOSES, v, r, s);
        assertPosition(sale, investor, 5 ether, 5000e18);
    }

    /// @notice Row "the gate checks the payer, not the position's owner".
    function test_GateChecksThePayer_ItIsTheInvestors() external {
        bytes memory eligibility = signed(key, _voucher());
        vm.expectRevert(abi.encodeWithSelector(Gates.VoucherInvalid.selector, bob, signer, 0));
        vm.prank(alice);
        sale.contribute{value: 1 ether}(bob, 1 ether, eligibility);
        vm.prank(bob);
        sale.contribute{value: 1 ether}(alice, 1 ether, eligibility);
        assertPosition(sale, alice, 1 ether, 1000e18);
    }

    /// @notice Row "a refund window that closed before a late KYC rejection": a rejection pays at once and for ever; after the
    /// end none is possible, and the outcome rules.
    function test_LateRejection_TheMoneyNeverWaitsForAWindow() external {
        _contribute(alice, 5 ether, signed(key, _voucher()));
        vm.warp(CLOSES - 1);
        vm.prank(owner);
        sale.reject(alice);
        vm.warp(CLOSES + 36_500 days);
        sale.close();
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
        vm.expectRevert();
        vm.prank(owner);
        sale.reject(alice);
    }

    /// @notice Row "withdraw twice; refund after settlement".
    function test_WithdrawTwice_OneDoorClosesAll() external {
        SaleTerms memory t = _terms();
        t.coolingOff = 1 days;
        _create(t);
        _contribute(alice, 5 ether, signed(key, _voucher()));
        vm.warp(OPENS + 1 days - 1);
        vm.deal(address(sale), 10 ether);
        vm.startPrank(alice);
        sale.withdraw();
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToWithdraw.selector, alice));
        sale.withdraw();
        vm.stopPrank();
        vm.warp(CLOSES);
        sale.close();
        vm.expectRevert(abi.encodeWithSelector(ISale.NothingToRefund.selector, alice));
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
    }

    /// @notice Row "bid and unbid in the last second": a cooling-off ends with the window, so nothing leaves once it is known
    /// what the others did; and an auction has none.
    function test_BidAndUnbid_TheCoolingOffEndsWithTheWindow() external {
        SaleTerms memory t = terms();
        t.coolingOff = 1 days;
        _create(t);
        vm.warp(CLOSES - 1);
        buy(sale, alice, 10 ether);
        vm.warp(CLOSES);
        vm.expectRevert(abi.encodeWithSelector(ISale.CoolingOffOver.selector, CLOSES));
        vm.prank(alice);
        sale.withdraw();
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.DutchAuction, dutch());
        vm.warp(OPENS);
        buy(sale, alice, 100 ether);
        vm.expectRevert(ISale.NoCoolingOff.selector);
        vm.prank(alice);
        sale.withdraw();
    }

    /// @notice Row "the owner can halt refunds": a pause touches contributions alone.
    function test_PauseHaltsRefunds_ItTouchesContributionsAlone() external {
        _contribute(alice, 5 ether, signed(key, _voucher()));
        vm.prank(owner);
        sale.setPaused(true);
        vm.warp(CLOSES);
        sale.close();
        assertState(sale, State.Failed);
        sale.refundFor(alice);
        assertEq(alice.balance, 1000 ether);
    }

    /// @notice Row "excess sent to the beneficiary, not the payer": at a gate too.
    function test_ExcessAtAGate_GoesBackToThePayer() external {
        Voucher memory v = _voucher();
        (v.maxPaid, v.phases) = (50 ether, 1);
        SaleTerms memory t = _terms();
        t.phases[1].gate = Gate.Voucher;
        _create(t);
        v.sale = address(sale);
        bytes memory eligibility = signed(key, v);
        vm.prank(bob);
        sale.contribute{value: 30 ether}(alice, 30 ether, eligibility);
        assertEq(bob.balance, 980 ether);
        assertEq(alice.balance, 1000 ether);
        assertEq(beneficiary.balance, 0);
    }

    function _create(SaleTerms memory t) private {
        vm.warp(OPENS - 1);
        (sale, vault) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
    }

    function _terms() private view returns (SaleTerms memory t) {
        t = terms();
        (t.signer, t.compliance, t.phases[0].gate) = (signer, owner, Gate.Voucher);
    }

    function _voucher() private view returns (Voucher memory) {
        return Voucher(block.chainid, address(sale), alice, 5 ether, 1, CLOSES, 0);
    }

    function _contribute(address investor, uint256 amount, bytes memory eligibility) private {
        vm.prank(investor);
        sale.contribute{value: amount}(investor, amount, eligibility);
    }
}
