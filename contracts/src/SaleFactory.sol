// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IRestrictedSaleToken} from "./interfaces/IRestrictedSaleToken.sol";
import {ISaleFactory} from "./interfaces/ISaleFactory.sol";
import {ITokenFactory} from "./interfaces/ITokenFactory.sol";
import {SaleArgs} from "./libraries/SaleArgs.sol";
import {TermsCheck} from "./libraries/TermsCheck.sol";
import {VaultArgs} from "./libraries/VaultArgs.sol";
import {WalletArgs} from "./libraries/WalletArgs.sol";
import {Currency} from "./types/Currency.sol";
import {Allocation, Documents, Mode, SaleTerms, TokenKind, TokenTerms} from "./types/SaleTypes.sol";

/// @title SaleFactory
/// @notice Creates each sale with its vault, its team's wallets, its tokens and, where asked, the token itself, in one
/// transaction.
contract SaleFactory is ISaleFactory {
    using SafeERC20 for IERC20;

    /// @notice The shared code that the factory clones, and the factory of tokens.
    struct Implementations {
        address fixedPriceSale;
        address proRataSale;
        address dutchAuctionSale;
        address refundVault;
        address teamWallet;
        address tokenFactory;
    }

    /// @notice Most allocations a sale can have.
    uint256 public constant MAX_ALLOCATIONS = 16;

    /// @notice Code that the sales of mode `FixedPrice` share.
    address public immutable FIXED_PRICE_SALE;

    /// @notice Code that the sales of mode `ProRata` share.
    address public immutable PRO_RATA_SALE;

    /// @notice Code that the sales of mode `DutchAuction` share.
    address public immutable DUTCH_AUCTION_SALE;

    /// @notice Code that all vaults share.
    address public immutable REFUND_VAULT;

    /// @notice Code that all wallets of teams share.
    address public immutable TEAM_WALLET;

    /// @notice Who creates the tokens.
    ITokenFactory public immutable TOKEN_FACTORY;

    /// @param code Deployed before.
    constructor(Implementations memory code) {
        FIXED_PRICE_SALE = code.fixedPriceSale;
        PRO_RATA_SALE = code.proRataSale;
        DUTCH_AUCTION_SALE = code.dutchAuctionSale;
        REFUND_VAULT = code.refundVault;
        TEAM_WALLET = code.teamWallet;
        TOKEN_FACTORY = ITokenFactory(code.tokenFactory);
    }

    /// @inheritdoc ISaleFactory
    function create(
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations
    ) external returns (address sale, address vault) {
        bytes32 salt = _salt(msg.sender, mode, terms, documents, allocations);
        (sale, vault) = _create(mode, terms, documents, salt);
        Currency token = Currency.wrap(terms.token);
        token.pull(msg.sender, sale, terms.tokensForSale);
        for (uint256 i = 0; i < allocations.length; ++i) {
            token.pull(msg.sender, _createWallet(sale, terms, i, allocations[i]), allocations[i].amount);
        }
    }

    /// @inheritdoc ISaleFactory
    function createWithToken(
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations,
        TokenTerms calldata tokenTerms
    ) external returns (address sale, address vault, address token) {
        if (terms.token != address(0)) revert TokenGiven(terms.token);
        uint256 rest = _rest(terms, allocations, tokenTerms);
        bytes32 salt = _salt(msg.sender, mode, terms, documents, allocations);
        SaleTerms memory full = terms;
        full.token = TOKEN_FACTORY.predict(address(this), tokenTerms, terms.owner, salt);
        if (full.token.code.length != 0) {
            (sale,) = _predict(mode, full, salt);
            revert SaleExists(sale);
        }

        token = TOKEN_FACTORY.create(tokenTerms, terms.owner, salt);
        emit TokenCreated(token, msg.sender, tokenTerms);
        (sale, vault) = _create(mode, full, documents, salt);
        bool restricted = tokenTerms.kind == TokenKind.Restricted;
        if (restricted) IRestrictedSaleToken(token).admit(sale);
        IERC20(token).safeTransfer(sale, terms.tokensForSale);
        for (uint256 i = 0; i < allocations.length; ++i) {
            address wallet = _createWallet(sale, full, i, allocations[i]);
            if (restricted) IRestrictedSaleToken(token).admit(wallet);
            IERC20(token).safeTransfer(wallet, allocations[i].amount);
        }
        if (rest != 0) IERC20(token).safeTransfer(terms.owner, rest);
    }

    /// @inheritdoc ISaleFactory
    function predict(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations
    ) external view returns (address sale, address vault) {
        return _predict(mode, terms, _salt(creator, mode, terms, documents, allocations));
    }

    /// @inheritdoc ISaleFactory
    function predictWithToken(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations,
        TokenTerms calldata tokenTerms
    ) external view returns (address sale, address vault, address token) {
        bytes32 salt = _salt(creator, mode, terms, documents, allocations);
        token = TOKEN_FACTORY.predict(address(this), tokenTerms, terms.owner, salt);
        SaleTerms memory full = terms;
        full.token = token;
        (sale, vault) = _predict(mode, full, salt);
    }

    /// @inheritdoc ISaleFactory
    function predictWallet(address sale, uint40 closes, uint256 index, Allocation calldata allocation)
        external
        view
        returns (address)
    {
        return Clones.predictDeterministicAddressWithImmutableArgs(
            TEAM_WALLET, _walletArgs(sale, closes, allocation), bytes32(index)
        );
    }

    /// @dev Clones are made before the tokens arrive: nobody can contribute in between, as it is one transaction.
    function _create(Mode mode, SaleTerms memory terms, Documents calldata documents, bytes32 salt)
        private
        returns (address sale, address vault)
    {
        TermsCheck.check(mode, terms);
        bytes memory args = SaleArgs.pack(terms, address(this));
        address implementation = _implementation(mode);
        sale = Clones.predictDeterministicAddressWithImmutableArgs(implementation, args, salt);
        if (sale.code.length != 0) revert SaleExists(sale);

        Clones.cloneDeterministicWithImmutableArgs(implementation, args, salt);
        vault = Clones.cloneDeterministicWithImmutableArgs(REFUND_VAULT, _vaultArgs(sale, terms), 0);
        emit SaleCreated(sale, msg.sender, terms.token, vault, mode, terms, documents);
    }

    /// @dev The wallet vests from the end of the sale, which is known, not from its outcome, which is not.
    function _createWallet(address sale, SaleTerms memory terms, uint256 index, Allocation calldata allocation)
        private
        returns (address wallet)
    {
        uint40 closes = terms.phases[terms.phases.length - 1].end;
        wallet = Clones.cloneDeterministicWithImmutableArgs(
            TEAM_WALLET, _walletArgs(sale, closes, allocation), bytes32(index)
        );
        emit AllocationCreated(sale, wallet, index, allocation);
    }

    function _predict(Mode mode, SaleTerms memory terms, bytes32 salt)
        private
        view
        returns (address sale, address vault)
    {
        sale = Clones.predictDeterministicAddressWithImmutableArgs(
            _implementation(mode), SaleArgs.pack(terms, address(this)), salt
        );
        vault = Clones.predictDeterministicAddressWithImmutableArgs(REFUND_VAULT, _vaultArgs(sale, terms), 0);
    }

    function _implementation(Mode mode) private view returns (address) {
        if (mode == Mode.ProRata) return PRO_RATA_SALE;
        return mode == Mode.DutchAuction ? DUTCH_AUCTION_SALE : FIXED_PRICE_SALE;
    }

    /// @return rest What is neither for sale nor allocated.
    function _rest(SaleTerms calldata terms, Allocation[] calldata allocations, TokenTerms calldata tokenTerms)
        private
        pure
        returns (uint256 rest)
    {
        uint256 needed = terms.tokensForSale;
        for (uint256 i = 0; i < allocations.length; ++i) {
            needed += allocations[i].amount;
        }
        if (tokenTerms.supply < needed) revert SupplyShort(tokenTerms.supply, needed);
        return tokenTerms.supply - needed;
    }

    function _vaultArgs(address sale, SaleTerms memory terms) private pure returns (bytes memory) {
        return VaultArgs.pack(sale, terms.beneficiary, terms.currency, terms.tap);
    }

    function _walletArgs(address sale, uint40 closes, Allocation calldata a) private pure returns (bytes memory) {
        return WalletArgs.pack(
            WalletArgs.Args({sale: sale, owner: a.beneficiary, start: closes, cliff: a.cliff, duration: a.duration})
        );
    }

    /// @dev Also refuses allocations that could not work: every address begins here.
    function _salt(
        address creator,
        Mode mode,
        SaleTerms calldata terms,
        Documents calldata documents,
        Allocation[] calldata allocations
    ) private pure returns (bytes32) {
        uint256 count = allocations.length;
        if (count > MAX_ALLOCATIONS) revert AllocationCount(count, MAX_ALLOCATIONS);
        for (uint256 i = 0; i < count; ++i) {
            Allocation calldata a = allocations[i];
            if (
                a.beneficiary == address(0) || a.amount == 0 || a.cliff > a.duration
                    || a.duration > TermsCheck.MAX_SCHEDULE
            ) revert AllocationInvalid(i, a, TermsCheck.MAX_SCHEDULE);
        }
        return keccak256(abi.encode(creator, mode, terms, documents, allocations));
    }
}
