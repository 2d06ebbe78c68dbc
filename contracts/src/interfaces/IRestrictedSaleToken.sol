// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISaleToken} from "./ISaleToken.sol";

/// @title IRestrictedSaleToken
/// @notice A token that only approved holders may send or receive (ERC-1404). Its registry of holders has a default admin, who
/// hands the role on in two steps, and registrars. Neither can move anybody's tokens, nor shut the sale's own contracts out.
interface IRestrictedSaleToken is ISaleToken {
    /// @notice `holder` is approved until `until`, Unix seconds; zero: not any more.
    event HolderSet(address indexed holder, uint256 until, address indexed by);

    /// @notice A contract of the sale is approved for ever.
    event Admitted(address indexed account);

    /// @notice The transfer is restricted, with the code of ERC-1404.
    error TransferRestricted(uint8 code, address from, address to);

    /// @notice Only who issued the token may admit contracts.
    error OnlyIssuer(address issuer, address caller);

    /// @notice As many times as holders are needed.
    error LengthsDiffer(uint256 holders, uint256 untils);

    /// @notice Approves holders, each until its time; a time in the past ends an approval. A registrar's.
    function setHolders(address[] calldata holders, uint40[] calldata untils) external;

    /// @notice Approves a contract of the sale for ever. The issuer's, while the sale is created.
    function admit(address account) external;

    /// @notice Says where the metadata stands. The admin's.
    function setContractURI(string calldata uri) external;

    /// @return First second in which `holder` is not approved any more; the largest number for contracts of the sale.
    function approvedUntil(address holder) external view returns (uint256);

    /// @return Who may approve holders.
    function REGISTRAR_ROLE() external view returns (bytes32);

    /// @return code 0 if a transfer is allowed, 1 if the sender is not approved, 2 if the receiver is not (ERC-1404).
    function detectTransferRestriction(address from, address to, uint256 value) external view returns (uint8 code);

    /// @return What `code` means, for people (ERC-1404).
    function messageForTransferRestriction(uint8 code) external view returns (string memory);
}
