// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sale} from "../../../src/Sale.sol";
import {ISale} from "../../../src/interfaces/ISale.sol";
import {Gates} from "../../../src/libraries/Gates.sol";
import {Gate, Mode, Outcome, SaleTerms} from "../../../src/types/SaleTypes.sol";
import {Eligibility} from "../../utils/Eligibility.sol";
import {SaleTest} from "../../utils/SaleTest.sol";
import {PlainToken} from "../../utils/Tokens.sol";

contract ListsTest is SaleTest, Eligibility {
    Sale private sale;
    bytes32 private inner;

    function setUp() public override {
        super.setUp();
        inner = parentOf(leafOf(carol, 1 ether), leafOf(owner, 2 ether));
        _create(parentOf(parentOf(leafOf(alice, 10 ether), leafOf(bob, 5 ether)), inner), 0);
    }

    function test_WhenTheInvestorIsOnTheList() external {
        (uint256 accepted, uint256 tokens) = _contribute(alice, 4 ether, _alice());
        assertEq(accepted, 4 ether);
        assertEq(tokens, 4000e18);
        assertPosition(sale, alice, 4 ether, 4000e18);
    }

    function test_TheLimitIsCumulativeAndTheInvestors() external {
        _contribute(alice, 10 ether, _alice());
        vm.expectRevert(abi.encodeWithSelector(ISale.AboveMaximum.selector, 10 ether, 10 ether + 1));
        vm.prank(bob);
        sale.contribute{value: 1}(alice, 1, _alice());
    }

    function test_RevertGiven_NoProof() external {
        vm.expectRevert(abi.encodeWithSelector(Gates.EligibilityMissing.selector, 0, Gate.Merkle));
        _contribute(alice, 1 ether, "");
        vm.prank(alice);
        (bool ok, bytes memory answer) = address(sale).call{value: 1 ether}("");
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSelector(Gates.EligibilityMissing.selector, 0, Gate.Merkle));
    }

    function test_RevertGiven_ALengthThatIsNoProof() external {
        uint256[6] memory lengths = [uint256(1), 14, 16, 46, 48, 78];
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Gates.EligibilityMalformed.selector, Gate.Merkle, lengths[i]));
            _contribute(alice, 1 ether, new bytes(lengths[i]));
        }
    }

    function test_RevertGiven_AnotherLimit() external {
        bytes memory eligibility = abi.encodePacked(uint120(10 ether + 1), leafOf(bob, 5 ether), inner);
        _refused(alice, 10 ether + 1, eligibility);
    }

    function test_RevertGiven_AnotherInvestor() external {
        _refused(carol, 10 ether, _alice());
    }

    function test_RevertGiven_AProofOfAnotherLength() external {
        _refused(alice, 10 ether, abi.encodePacked(uint120(10 ether)));
        _refused(alice, 10 ether, abi.encodePacked(uint120(10 ether), inner));
        _refused(alice, 10 ether, abi.encodePacked(_alice(), bytes32(0)));
    }

    /// @dev Entries are hashed twice: what is hashed once, as nodes are, is none.
    function test_RevertGiven_AnInnerNodeForAnEntry() external {
        _create(keccak256(abi.encode(alice, uint256(10 ether))), 0);
        _refused(alice, 10 ether, abi.encodePacked(uint120(10 ether)));
    }

    function test_AListOfOneHasAnEmptyProof() external {
        _create(leafOf(alice, 3 ether), 0);
        _contribute(alice, 3 ether, abi.encodePacked(uint120(3 ether)));
        assertPosition(sale, alice, 3 ether, 3000e18);
        _refused(bob, 3 ether, abi.encodePacked(uint120(3 ether)));
    }

    function test_RevertGiven_ALimitOfZero() external {
        _create(leafOf(alice, 0), 0);
        vm.expectRevert();
        _contribute(alice, 1 ether, abi.encodePacked(uint120(0)));
    }

    function test_ItStopsBeforeAPhaseWhoseListHasNoEntry() external {
        _create(leafOf(bob, 5 ether), 1);
        vm.expectEmit(address(sale));
        emit ISale.Contributed(alice, alice, 0, 20 ether, 20_000e18, 20 ether, 20 ether, 20_000e18);
        vm.expectEmit(address(sale));
        emit ISale.ExcessReturned(alice, 10 ether);
        (uint256 accepted, uint256 tokens) = _contribute(alice, 30 ether, "");
        assertEq(accepted, 20 ether);
        assertEq(tokens, 20_000e18);
        assertEq(alice.balance, 980 ether);

        vm.expectRevert(abi.encodeWithSelector(Gates.EligibilityMissing.selector, 1, Gate.Merkle));
        _contribute(alice, 1 ether, "");
        _contribute(bob, 5 ether, abi.encodePacked(uint120(5 ether)));
        assertTotals(sale, 25 ether, 22_500e18, Outcome.None);
    }

    function test_APlainTransferStopsBeforeAGatedPhase() external {
        _create(leafOf(bob, 5 ether), 1);
        vm.prank(alice);
        (bool ok,) = address(sale).call{value: 25 ether}("");
        assertTrue(ok);
        assertPosition(sale, alice, 20 ether, 20_000e18);
        assertEq(alice.balance, 980 ether);
    }

    function test_AnErc20IsPulledUpToTheGateAlone() external {
        PlainToken usd = new PlainToken(6);
        usd.mint(alice, 30e6);
        SaleTerms memory t = paidIn(address(usd), 6);
        (t.phases[1].gate, t.phases[1].root) = (Gate.Merkle, leafOf(bob, 5e6));
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        (uint256 accepted,) = buyWith(address(usd), sale, alice, 30e6);
        assertEq(accepted, 20e6);
        assertEq(usd.balanceOf(alice), 10e6);
    }

    /// @dev The end of a phase in time opens the next, which is open to all.
    function test_AnOpenPhaseAfterItLooksAtNoList() external {
        vm.warp(OPENS + 1 days);
        _contribute(carol, 3 ether, "");
        _contribute(carol, 3 ether, _alice());
        assertPosition(sale, carol, 6 ether, 3000e18);
    }

    function test_EachPhaseHasItsList() external {
        SaleTerms memory t = terms();
        (t.phases[0].gate, t.phases[0].root) = (Gate.Merkle, leafOf(alice, 10 ether));
        (t.phases[3].gate, t.phases[3].root) = (Gate.Merkle, leafOf(bob, 5 ether));
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
        _contribute(alice, 1 ether, abi.encodePacked(uint120(10 ether)));
        _refused(bob, 5 ether, abi.encodePacked(uint120(5 ether)));
        vm.warp(OPENS + 3 days);
        _contribute(bob, 1 ether, abi.encodePacked(uint120(5 ether)));
        vm.expectRevert(abi.encodeWithSelector(Gates.NotOnList.selector, 3, alice, 10 ether));
        _contribute(alice, 1 ether, abi.encodePacked(uint120(10 ether)));
    }

    function _create(bytes32 root, uint256 phase) private {
        SaleTerms memory t = terms();
        t.minPaid = 0;
        (t.phases[phase].gate, t.phases[phase].root) = (Gate.Merkle, root);
        vm.warp(OPENS - 1);
        (sale,) = create(Mode.FixedPrice, t);
        vm.warp(OPENS);
    }

    function _alice() private view returns (bytes memory) {
        return abi.encodePacked(uint120(10 ether), leafOf(bob, 5 ether), inner);
    }

    function _contribute(address investor, uint256 amount, bytes memory eligibility)
        private
        returns (uint256, uint256)
    {
        vm.prank(investor);
        return sale.contribute{value: amount}(investor, amount, eligibility);
    }

    function _refused(address investor, uint256 limit, bytes memory eligibility) private {
        vm.expectRevert(abi.encodeWithSelector(Gates.NotOnList.selector, 0, investor, limit));
        _contribute(investor, 1 ether, eligibility);
    }
}
