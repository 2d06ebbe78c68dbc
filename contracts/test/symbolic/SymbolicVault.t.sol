// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";

import {RefundVault} from "../../src/RefundVault.sol";
import {Schedule} from "../../src/libraries/Schedule.sol";
import {VaultArgs} from "../../src/libraries/VaultArgs.sol";
import {Currency} from "../../src/types/Currency.sol";
import {Tap} from "../../src/types/SaleTypes.sol";

/// @notice All that a vault with money asks of its sale.
contract Stakes {
    mapping(address investor => uint256) public stakeOf;

    function set(address investor, uint256 stake) external {
        stakeOf[investor] = stake;
    }
}

/// @notice The schedule by itself. Its products and quotients stay the solver's unknowns, so what it says of the vault holds
/// whatever they are; what they are is `SmallNumbersTest`'s and the fuzzers'.
contract Scheduled is Test {
    function freed(uint256 total, uint256 atOnce, uint256 duration, uint256 elapsed) external pure returns (uint256) {
        _fits(total, atOnce);
        _fits(total - Math.mulDiv(total, atOnce, Schedule.WHOLE), elapsed);
        return Schedule.freed(total, atOnce, 0, duration, elapsed);
    }

    /// @dev Of 120 and at most 40 bits, as all are here, a product has no second word. `mulDiv` finds that out with `mulmod`,
    /// which is an unknown to the solver too.
    function _fits(uint256 a, uint256 b) private pure {
        (uint256 high,) = Math.mul512(a, b);
        vm.assume(high == 0);
    }
}

/// @notice The tap: 15 % at once, the rest over a hundred seconds; from every state of the vault's words in which it has its
/// money.
contract SymbolicVaultTest is Test {
    address private constant BENEFICIARY = address(0xbe);
    uint16 private constant AT_ONCE = 1500;
    uint32 private constant DURATION = 100;
    /// @dev Of the layout that `forge inspect RefundVault storageLayout` shows.
    uint256 private constant ACCOUNT_SLOT = 0;
    uint256 private constant OBJECTIONS_SLOT = 1;

    RefundVault private vault;
    Stakes private stakes;
    Scheduled private schedule;
    bool private reached;

    function setUp() public {
        stakes = new Stakes();
        schedule = new Scheduled();
        Tap memory tap = Tap({atOnce: AT_ONCE, duration: DURATION, objection: 4000});
        bytes memory args = VaultArgs.pack(address(stakes), BENEFICIARY, Currency.wrap(address(0)), tap);
        vault = RefundVault(payable(Clones.cloneDeterministicWithImmutableArgs(address(new RefundVault()), args, 0)));
    }

    /// @notice 15: what was released in all is what the schedule says, the beneficiary has just what is new of it, and there is
    /// none once the tap is stopped. Whatever is due can be released, by anybody.
    function check_Release(uint120 received, uint120 released, bool stopped, address caller, uint40 since, uint40 time)
        external
    {
        _release(received, released, stopped, caller, since, time);
    }

    function reach_Release(uint120 received, uint120 released, bool stopped, address caller, uint40 since, uint40 time)
        external
    {
        _release(received, released, stopped, caller, since, time);
        assert(!reached);
    }

    /// @notice An objection counts the stake once, in time, moves no money, and stops the tap just above the share.
    function check_Objection(uint120 received, uint120 weight, uint120 stake, uint40 since, bool stopped, uint40 time)
        external
    {
        _objection(received, weight, stake, since, stopped, time);
    }

    function reach_Objection(uint120 received, uint120 weight, uint120 stake, uint40 since, bool stopped, uint40 time)
        external
    {
        _objection(received, weight, stake, since, stopped, time);
        assert(!reached);
    }

    receive() external payable {}

    function _release(uint120 received, uint120 released, bool stopped, address caller, uint40 since, uint40 time)
        private
    {
        vm.assume(received != 0 && released <= received && since <= time && caller != address(vault));
        _words(received, released, 0, since, stopped);
        vm.deal(address(vault), received - released);
        vm.warp(time);
        uint256 due = schedule.freed(received, AT_ONCE, DURATION, block.timestamp - since);
        // Of the schedule, what `SmallNumbersTest` shows: a sum times a time is beyond the solvers.
        vm.assume(due <= received);
        vm.prank(caller);
        try vault.release() returns (uint256 amount) {
            (uint256 received_, uint256 released_) = vault.account();
            assert(!stopped && received_ == received);
            assert(released_ == due && released_ == released + amount && amount != 0);
            assert(BENEFICIARY.balance == amount && address(vault).balance == received - released_);
            reached = true;
        } catch {
            (, uint256 released_) = vault.account();
            assert(released_ == released && address(vault).balance == received - released);
            assert(stopped || due <= released);
        }
    }

    function _objection(uint120 received, uint120 weight, uint120 stake, uint40 since, bool stopped, uint40 time)
        private
    {
        vm.assume(received != 0 && since <= time);
        _words(received, 0, weight, since, stopped);
        stakes.set(address(this), stake);
        vm.deal(address(vault), received);
        vm.warp(time);
        try vault.object() {
            (uint256 objected, uint256 needed, bool stops) = vault.objections();
            assert(!stopped && stake != 0 && time < uint256(since) + DURATION);
            assert(objected == uint256(weight) + stake && vault.hasObjected(address(this)));
            assert(stops == objected > needed);
            try vault.object() {
                assert(false);
            } catch {}
            reached = true;
        } catch {}
        assert(address(vault).balance == received);
    }

    function _words(uint120 received, uint120 released, uint120 weight, uint40 since, bool stopped) private {
        vm.store(address(vault), bytes32(ACCOUNT_SLOT), bytes32(uint256(received) | uint256(released) << 128));
        uint256 word = uint256(weight) | uint256(since) << 128 | uint256(stopped ? 1 : 0) << 168;
        vm.store(address(vault), bytes32(OBJECTIONS_SLOT), bytes32(word));
    }
}
