// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Mode} from "../../../src/types/SaleTypes.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {PlainToken} from "../../utils/Tokens.sol";

contract PermitToken is ERC20Permit {
    constructor() ERC20("Permit", "PMT") ERC20Permit("Permit") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}

contract PermitTest is SaleTest {
    PermitToken private usd;
    Sale private sale;
    address private investor;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        usd = new PermitToken();
        (investor, key) = makeAddrAndKey("investor");
        usd.mint(investor, 100e6);
        (sale,) = create(Mode.FixedPrice, paidIn(address(usd), 6));
        vm.warp(OPENS);
    }

    function test_WhenThePermitIsGood() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(5e6, CLOSES);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(investor, investor, 0, 5e6, 5000e18, 5e6, 5e6, 5000e18);
        vm.prank(investor);
        (uint256 accepted, uint256 tokens) = sale.contributeWithPermit(investor, 5e6, "", CLOSES, v, r, s);
        assertEq(accepted, 5e6);
        assertEq(tokens, 5000e18);
        assertEq(usd.balanceOf(address(sale)), 5e6);
        assertEq(usd.allowance(investor, address(sale)), 0);
        assertEq(usd.nonces(investor), 1);
    }

    function test_WhenItIsForAnother() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(5e6, CLOSES);
        vm.prank(investor);
        sale.contributeWithPermit(bob, 5e6, "", CLOSES, v, r, s);
        assertPosition(sale, bob, 5e6, 5000e18);
        assertPosition(sale, investor, 0, 0);
    }

    function test_WhenAnotherHasUsedThePermit() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(5e6, CLOSES);
        vm.prank(bob);
        usd.permit(investor, address(sale), 5e6, CLOSES, v, r, s);
        vm.prank(investor);
        sale.contributeWithPermit(investor, 5e6, "", CLOSES, v, r, s);
        assertPosition(sale, investor, 5e6, 5000e18);
    }

    function test_WhenThePermitIsGarbageAndTheApprovalIsThere() external {
        vm.startPrank(investor);
        usd.approve(address(sale), 5e6);
        sale.contributeWithPermit(investor, 5e6, "", 0, 1, bytes32(uint256(2)), bytes32(uint256(3)));
        vm.stopPrank();
        assertPosition(sale, investor, 5e6, 5000e18);
    }

    function test_RevertWhen_ThePermitIsGarbageAndNothingIsApproved() external {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sale), 0, 5e6));
        vm.prank(investor);
        sale.contributeWithPermit(investor, 5e6, "", CLOSES, 27, bytes32(uint256(2)), bytes32(uint256(3)));
    }

    function test_RevertWhen_ThePermitHasExpired() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(5e6, OPENS);
        vm.warp(OPENS + 1);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sale), 0, 5e6));
        vm.prank(investor);
        sale.contributeWithPermit(investor, 5e6, "", OPENS, v, r, s);
    }

    /// @dev A permit is its signer's alone: nobody else pays with it.
    function test_RevertWhen_AnotherSendsThePermit() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(5e6, CLOSES);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sale), 0, 5e6));
        vm.prank(bob);
        sale.contributeWithPermit(bob, 5e6, "", CLOSES, v, r, s);
        assertEq(usd.balanceOf(investor), 100e6);
    }

    function test_AtTheHardCapThePartAloneIsPulled() external {
        usd.mint(alice, 50e6);
        usd.mint(bob, 48e6);
        buyWith(address(usd), sale, alice, 50e6);
        buyWith(address(usd), sale, bob, 48e6);
        (uint8 v, bytes32 r, bytes32 s) = _sign(5e6, CLOSES);
        vm.prank(investor);
        (uint256 accepted,) = sale.contributeWithPermit(investor, 5e6, "", CLOSES, v, r, s);
        assertEq(accepted, 2e6);
        assertEq(usd.balanceOf(investor), 98e6);
    }

    function test_WhenTheTokenHasNoPermit() external {
        PlainToken plain = new PlainToken(6);
        plain.mint(alice, 5e6);
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, paidIn(address(plain), 6));
        vm.warp(OPENS);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(sale), 0, 5e6));
        sale.contributeWithPermit(alice, 5e6, "", CLOSES, 27, 0, 0);
        plain.approve(address(sale), 5e6);
        sale.contributeWithPermit(alice, 5e6, "", CLOSES, 27, 0, 0);
        vm.stopPrank();
        assertPosition(sale, alice, 5e6, 5000e18);
    }

    function test_RevertWhen_TheSaleIsPaidInEther() external {
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, terms());
        vm.warp(OPENS);
        vm.expectRevert(abi.encodeWithSelector(ISale.WrongValue.selector, 1 ether, 0));
        vm.prank(alice);
        sale.contributeWithPermit(alice, 1 ether, "", CLOSES, 27, 0, 0);
    }

    function test_RevertWhen_CalledOnTheSharedCode() external {
        Sale code = Sale(payable(factory.FIXED_PRICE_SALE()));
        vm.expectRevert(ISale.NotASale.selector);
        code.contributeWithPermit(alice, 1, "", CLOSES, 27, 0, 0);
    }

    function _sign(uint256 amount, uint256 deadline) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 content = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                investor,
                address(sale),
                amount,
                usd.nonces(investor),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", usd.DOMAIN_SEPARATOR(), content)));
    }
}
