// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {IRestrictedSaleToken} from "./interfaces/IRestrictedSaleToken.sol";
import {ISaleToken} from "./interfaces/ISaleToken.sol";

/// @title RestrictedSaleToken
/// @notice ERC-20 with permit, burning by holders, a fixed supply and ERC-1404: only approved holders send and receive.
contract RestrictedSaleToken is IRestrictedSaleToken, ERC20Permit, ERC20Burnable, AccessControlDefaultAdminRules {
    /// @inheritdoc IRestrictedSaleToken
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");

    uint8 private constant ALLOWED = 0;
    uint8 private constant SENDER_NOT_APPROVED = 1;
    uint8 private constant RECEIVER_NOT_APPROVED = 2;

    address private immutable ISSUER;

    string private $contractURI;
    mapping(address holder => uint256) private $approvedUntil;

    /// @param name_ ERC-20 name.
    /// @param symbol_ ERC-20 symbol.
    /// @param supply Base units.
    /// @param contractURI_ ERC-7572 metadata; may be empty.
    /// @param issuer Who gets the supply and admits the contracts of the sale.
    /// @param admin First default admin and registrar, approved for ever until a registrar says otherwise.
    constructor(
        string memory name_,
        string memory symbol_,
        uint256 supply,
        string memory contractURI_,
        address issuer,
        address admin
    ) ERC20(name_, symbol_) ERC20Permit(name_) AccessControlDefaultAdminRules(0, admin) {
        ISSUER = issuer;
        $contractURI = contractURI_;
        _grantRole(REGISTRAR_ROLE, admin);
        $approvedUntil[issuer] = type(uint256).max;
        emit Admitted(issuer);
        _setHolder(admin, type(uint40).max);
        _mint(issuer, supply);
    }

    /// @inheritdoc IRestrictedSaleToken
    function setHolders(address[] calldata holders, uint40[] calldata untils) external onlyRole(REGISTRAR_ROLE) {
        if (holders.length != untils.length) revert LengthsDiffer(holders.length, untils.length);
        for (uint256 i = 0; i < holders.length; ++i) {
            _setHolder(holders[i], untils[i]);
        }
    }

    /// @inheritdoc IRestrictedSaleToken
    function admit(address account) external {
        if (msg.sender != ISSUER) revert OnlyIssuer(ISSUER, msg.sender);
        $approvedUntil[account] = type(uint256).max;
        emit Admitted(account);
    }

    /// @inheritdoc IRestrictedSaleToken
    function setContractURI(string calldata uri) external onlyRole(DEFAULT_ADMIN_ROLE) {
        $contractURI = uri;
        emit ContractURIUpdated();
    }

    /// @inheritdoc ISaleToken
    function contractURI() external view returns (string memory) {
        return $contractURI;
    }

    /// @inheritdoc IRestrictedSaleToken
    function approvedUntil(address holder) external view returns (uint256) {
        return $approvedUntil[holder];
    }

    /// @inheritdoc IRestrictedSaleToken
    function messageForTransferRestriction(uint8 code) external pure returns (string memory) {
        if (code == ALLOWED) return "The transfer is allowed.";
        if (code == SENDER_NOT_APPROVED) return "The sender is not an approved holder.";
        if (code == RECEIVER_NOT_APPROVED) return "The receiver is not an approved holder.";
        return "Unknown code.";
    }

    /// @inheritdoc IRestrictedSaleToken
    function detectTransferRestriction(address from, address to, uint256) public view returns (uint8 code) {
        if (from != address(0) && block.timestamp >= $approvedUntil[from]) return SENDER_NOT_APPROVED;
        if (to != address(0) && block.timestamp >= $approvedUntil[to]) return RECEIVER_NOT_APPROVED;
        return ALLOWED;
    }

    /// @dev The zero address stands for minting and burning.
    function _update(address from, address to, uint256 value) internal override {
        uint8 code = detectTransferRestriction(from, to, value);
        if (code != ALLOWED) revert TransferRestricted(code, from, to);
        super._update(from, to, value);
    }

    /// @dev Contracts of the sale stay approved: nobody can keep investors' tokens in it.
    function _setHolder(address holder, uint40 until) private {
        if ($approvedUntil[holder] == type(uint256).max) return;
        $approvedUntil[holder] = until;
        emit HolderSet(holder, until, msg.sender);
    }
}
