// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";

import {FixedPriceSale} from "./FixedPriceSale.sol";
import {RefundVault} from "./RefundVault.sol";
import {SaleToken} from "./SaleToken.sol";
import {ISaleFactory} from "./interfaces/ISaleFactory.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";
import {TermsCheck} from "./libraries/TermsCheck.sol";
import {VaultArgs} from "./libraries/VaultArgs.sol";
import {Currency} from "./types/Currency.sol";
import {Documents, Mode, SaleTerms, TokenTerms} from "./types/SaleTypes.sol";

/// @title SaleFactory
/// @notice Creates each sale with its vault, its tokens and, where asked, the token itself, in one transaction.
contract SaleFactory is ISaleFactory {
    using SafeERC20 for IERC20;

    /// @notice Code that the sales of mode `FixedPrice` share.
    address public immutable FIXED_PRICE_SALE;

    /// @notice Code that all vaults share.
    address public immutable REFUND_VAULT;

    /// @notice Deploys the shared code.
    constructor() {
        REFUND_VAULT = address(new RefundVault());
        FIXED_PRICE_SALE = address(new FixedPriceSale(REFUND_VAULT));
    }

    /// @inheritdoc ISaleFactory
    function create(Mode mode, SaleTerms calldata terms, Documents calldata documents)
        external
        returns (address sale, address vault)
    {
        (sale, vault) = _create(mode, terms, documents);
        Currency.wrap(terms.token).pull(msg.sender, sale, terms.tokensForSale);
    }

    /// @inheritdoc ISaleFactory
    function createWithToken(
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        TokenTerms calldata tokenTerms
    ) external returns (address sale, address vault, address token) {
        if (terms.token != address(0)) revert TokenGiven(terms.token);
        if (tokenTerms.supply < terms.tokensForSale) revert SupplyShort(tokenTerms.supply, terms.tokensForSale);
        bytes32 salt = _salt(msg.sender, terms, documents);
        token = Create2.computeAddress(salt, keccak256(_tokenCode(tokenTerms)));
        SaleTerms memory full = terms;
        full.token = token;
        if (token.code.length != 0) {
            (sale,) = _predict(msg.sender, mode, full, documents);
            revert SaleExists(sale);
        }

        token = Create2.deploy(0, salt, _tokenCode(tokenTerms));
        emit TokenCreated(token, msg.sender, tokenTerms);
        (sale, vault) = _create(mode, full, documents);
        IERC20(token).safeTransfer(sale, terms.tokensForSale);
        uint256 rest = tokenTerms.supply - terms.tokensForSale;
        if (rest != 0) IERC20(token).safeTransfer(terms.owner, rest);
    }

    /// @inheritdoc ISaleFactory
    function predict(address creator, Mode mode, SaleTerms calldata terms, Documents calldata documents)
        external
        view
        returns (address sale, address vault)
    {
        return _predict(creator, mode, terms, documents);
    }

    /// @inheritdoc ISaleFactory
    function predictWithToken(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        TokenTerms calldata tokenTerms
    ) external view returns (address sale, address vault, address token) {
        token = Create2.computeAddress(_salt(creator, terms, documents), keccak256(_tokenCode(tokenTerms)));
        SaleTerms memory full = terms;
        full.token = token;
        (sale, vault) = _predict(creator, mode, full, documents);
    }

    /// @dev Clones are made before the tokens arrive: nobody can contribute in between, as it is one transaction.
    function _create(Mode mode, SaleTerms memory terms, Documents calldata documents)
        private
        returns (address sale, address vault)
    {
        TermsCheck.check(terms);
        bytes32 salt = _salt(msg.sender, terms, documents);
        bytes memory args = SaleArgs.pack(terms);
        address implementation = _implementation(mode);
        sale = Clones.predictDeterministicAddressWithImmutableArgs(implementation, args, salt);
        if (sale.code.length != 0) revert SaleExists(sale);

        Clones.cloneDeterministicWithImmutableArgs(implementation, args, salt);
        vault = Clones.cloneDeterministicWithImmutableArgs(REFUND_VAULT, _vaultArgs(sale, terms), 0);
        emit SaleCreated(sale, msg.sender, terms.token, vault, mode, terms, documents);
    }

    function _predict(address creator, Mode mode, SaleTerms memory terms, Documents calldata documents)
        private
        view
        returns (address sale, address vault)
    {
        sale = Clones.predictDeterministicAddressWithImmutableArgs(
            _implementation(mode), SaleArgs.pack(terms), _salt(creator, terms, documents)
        );
        vault = Clones.predictDeterministicAddressWithImmutableArgs(REFUND_VAULT, _vaultArgs(sale, terms), 0);
    }

    function _implementation(Mode) private view returns (address) {
        return FIXED_PRICE_SALE;
    }

    function _vaultArgs(address sale, SaleTerms memory terms) private pure returns (bytes memory) {
        return VaultArgs.pack(sale, terms.beneficiary, terms.currency);
    }

    function _salt(address creator, SaleTerms memory terms, Documents calldata documents)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(creator, terms, documents));
    }

    function _tokenCode(TokenTerms calldata t) private pure returns (bytes memory) {
        return bytes.concat(type(SaleToken).creationCode, abi.encode(t.name, t.symbol, t.supply, t.contractURI));
    }
}
