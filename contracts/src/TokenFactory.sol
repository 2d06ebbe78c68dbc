// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

import {RestrictedSaleToken} from "./RestrictedSaleToken.sol";
import {SaleToken} from "./SaleToken.sol";
import {ITokenFactory} from "./interfaces/ITokenFactory.sol";
import {TokenKind, TokenTerms} from "./types/SaleTypes.sol";

/// @title TokenFactory
/// @notice Holds the code of the tokens, which does not fit beside that of the sale factory.
contract TokenFactory is ITokenFactory {
    /// @inheritdoc ITokenFactory
    function create(TokenTerms calldata terms, address admin, bytes32 salt) external returns (address token) {
        return Create2.deploy(0, _salt(msg.sender, salt), _code(msg.sender, terms, admin));
    }

    /// @inheritdoc ITokenFactory
    function predict(address creator, TokenTerms calldata terms, address admin, bytes32 salt)
        external
        view
        returns (address token)
    {
        return Create2.computeAddress(_salt(creator, salt), keccak256(_code(creator, terms, admin)));
    }

    function _salt(address creator, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(creator, salt));
    }

    function _code(address creator, TokenTerms calldata t, address admin) private pure returns (bytes memory) {
        if (t.kind == TokenKind.Restricted) {
            return bytes.concat(
                type(RestrictedSaleToken).creationCode,
                abi.encode(t.name, t.symbol, t.supply, t.contractURI, creator, admin)
            );
        }
        return
            bytes.concat(type(SaleToken).creationCode, abi.encode(t.name, t.symbol, t.supply, t.contractURI, creator));
    }
}
