// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a page sees of a Safe, small: owners who approve on the chain, a threshold, a queue by nonce, and the events that tell
/// what became of a transaction. Hashes are made as a Safe makes them.
contract Safe {
    bytes32 private constant DOMAIN = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
    bytes32 private constant TYPE = keccak256(
        "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
    );

    event ExecutionSuccess(bytes32 indexed txHash, uint256 payment);
    event ExecutionFailure(bytes32 indexed txHash, uint256 payment);

    uint256 public nonce;
    uint256 public getThreshold;
    mapping(address owner => mapping(bytes32 hash => uint256 approved)) public approvedHashes;
    address[] private owners;

    constructor(address[] memory owners_, uint256 threshold) payable {
        owners = owners_;
        getThreshold = threshold;
    }

    receive() external payable {}

    function getOwners() external view returns (address[] memory) {
        return owners;
    }

    function approveHash(bytes32 hash) external {
        approvedHashes[msg.sender][hash] = 1;
    }

    function getTransactionHash(
        address to,
        uint256 value,
        bytes calldata data,
        uint8 operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address refundReceiver,
        uint256 nonce_
    ) public view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN, block.chainid, address(this)));
        bytes memory first = abi.encode(TYPE, to, value, keccak256(data), operation, safeTxGas, baseGas, gasPrice);
        bytes memory second = abi.encode(gasToken, refundReceiver, nonce_);
        return keccak256(abi.encodePacked("\x19\x01", domain, keccak256(bytes.concat(first, second))));
    }

    /// @dev Of signatures, only approvals on the chain count.
    function execTransaction(
        address to,
        uint256 value,
        bytes calldata data,
        uint8 operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address payable refundReceiver,
        bytes calldata
    ) external payable returns (bool success) {
        bytes32 hash = getTransactionHash(
            to, value, data, operation, safeTxGas, baseGas, gasPrice, gasToken, refundReceiver, nonce++
        );
        uint256 given;
        for (uint256 i; i < owners.length; i++) given += approvedHashes[owners[i]][hash];
        require(given >= getThreshold, "GS020");
        // By the code of another contract on the Safe's own account, where several calls are made.
        (success,) = operation == 1 ? to.delegatecall(data) : to.call{value: value}(data);
        if (success) emit ExecutionSuccess(hash, 0);
        else emit ExecutionFailure(hash, 0);
    }
}
