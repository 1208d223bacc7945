import SardonyxGraph

/// The order in which a block's pixels and the channels are counted, in `DepthToSpace` and `SpaceToDepth`.
enum DepthOrder: String {
    /// Depth, column, row: the pixel's place in its block is the outer index.
    case pixelsFirst = "DCR"
    /// Column, row, depth: the channel is the outer index.
    case channelsFirst = "CRD"

    init(_ node: Node) throws {
        let name = node.string("mode", default: "DCR")
        guard let order = DepthOrder(rawValue: name) else {
            throw SardonyxError(.invalidModel, "mode is '\(name)'; it must be DCR or CRD")
        }
        self = order
    }
}

extension Node {
    /// The edge of a block of pixels.
    func blockSize() throws -> Int {
        let size = int("blocksize", default: 0)
        guard (1...1 << 20).contains(size) else {
            throw SardonyxError(.invalidModel, "blocksize is \(size); it must be positive")
        }
        return size
    }
}
