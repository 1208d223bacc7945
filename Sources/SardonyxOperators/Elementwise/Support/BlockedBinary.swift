import CKernels
import SardonyxGraph

/// How the two operands of an elementwise function meet when one of them has its channels in blocks.
enum BlockedOperands {
    /// Both are maps of the same shape, in blocks.
    case maps
    /// One number meets every element of the map.
    case number(map: Int)
    /// One number a channel, for all images or for each, meets every pixel of the map.
    case channels(map: Int, perImage: Bool)

    /// - Returns: nil where the operands meet in another way.
    init?(_ context: PreparationContext) throws {
        let shapes = [try context.input(0).shape, try context.input(1).shape]
        let output = try context.output(0)
        guard output.canBlockChannels, let map = shapes.firstIndex(of: output.shape) else { return nil }
        let other = shapes[1 - map]
        let aligned = [Int](repeating: 1, count: output.shape.count - other.count) + other
        if other == output.shape {
            self = .maps
        } else if other.elementCount == 1 {
            self = .number(map: map)
        } else if aligned[1] == output.shape[1], aligned.dropFirst(2).allSatisfy({ $0 == 1 }) {
            self = .channels(map: map, perImage: aligned[0] > 1)
        } else {
            return nil
        }
    }

    /// The inputs that are in blocks.
    var blocked: [Int] {
        switch self {
        case .maps: [0, 1]
        case .number(let map), .channels(let map, _): [map]
        }
    }
}

extension PreparationContext {
    /// The layouts that a binary elementwise function takes.
    func binaryOffers(isCommutative: Bool) throws -> [LayoutOffer] {
        guard try input(0).dataType == .float, try input(1).dataType == .float,
            let operands = try BlockedOperands(self)
        else { return [] }
        if case .channels(1, _) = operands, !isCommutative { return [] }
        return try channelBlocks(inputs: operands.blocked)
    }

    /// A kernel for operands in blocks; nil where the plain kernel does it, element by element.
    func blockedBinaryKernel(_ op: sdx_binary_op) throws -> Kernel? {
        guard isBlocked, case .channels(let map, let perImage)? = try BlockedOperands(self) else { return nil }
        let shape = try output(0).shape
        let (batch, channels) = (Int64(shape[0]), Int64(shape[1]))
        let pixels = Int64(shape.dropFirst(2).reduce(1, *))
        var kernel = Kernel { frame in
            sdx_channel_binary_c8_f32(
                frame.pool, op, batch, channels, pixels, frame.input(map), frame.input(1 - map),
                perImage ? channels : 0, frame.output(0), sdx_activation(kind: SDX_ACTIVATION_NONE, a: 0, b: 0))
        }
        kernel.inPlace = [0: [map]]
        return kernel
    }
}
