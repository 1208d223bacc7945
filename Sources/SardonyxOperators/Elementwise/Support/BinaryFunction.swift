import SardonyxGraph

/// A function of two elements, as a type, so that the loops over it are compiled for it.
protocol BinaryFunction: Sendable {
    associatedtype A: BitwiseCopyable
    associatedtype B: BitwiseCopyable
    associatedtype Y: BitwiseCopyable
    static func apply(_ a: A, _ b: B) -> Y
}

extension BinaryFunction {
    /// y = f(a, b) over an output that both operands broadcast to.
    static func kernel(_ broadcast: Broadcast) -> Kernel {
        Kernel { frame in
            run(frame.input(0), frame.input(1), frame.output(0), broadcast, frame.pool)
        }
    }

    static func run(
        _ a: UnsafePointer<A>, _ b: UnsafePointer<B>, _ y: UnsafeMutablePointer<Y>, _ broadcast: Broadcast,
        _ pool: OpaquePointer?
    ) {
        BinaryWork<Self>(a: a, b: b, y: y, broadcast: broadcast).run(count: broadcast.count, on: pool)
    }
}

private struct BinaryWork<F: BinaryFunction>: ChunkedWork {
    let a: UnsafePointer<F.A>
    let b: UnsafePointer<F.B>
    let y: UnsafeMutablePointer<F.Y>
    let broadcast: Broadcast

    func run(_ range: Range<Int>) {
        let moves = (broadcast.moves(0), broadcast.moves(1))
        broadcast.forEachStretch(in: range) { position, offsets, count in
            let (a, b, y) = (a + offsets.0, b + offsets.1, y + position)
            switch moves {
            case (true, true):
                for i in 0..<count { y[i] = F.apply(a[i], b[i]) }
            case (true, false):
                let right = b[0]
                for i in 0..<count { y[i] = F.apply(a[i], right) }
            case (false, true):
                let left = a[0]
                for i in 0..<count { y[i] = F.apply(left, b[i]) }
            case (false, false):
                let value = F.apply(a[0], b[0])
                for i in 0..<count { y[i] = value }
            }
        }
    }
}

extension PreparationContext {
    /// How inputs 0 and 1 broadcast to output 0.
    func broadcastPair() throws -> Broadcast {
        try Broadcast([input(0).shape, input(1).shape], to: output(0).shape)
    }

    /// The inputs that an elementwise output may overwrite: those of its own shape and element size.
    func overwritableInputs(_ count: Int = 2) throws -> [Int] {
        let output = try output(0)
        return try (0..<count).filter { index in
            let input = try input(index)
            return input.shape == output.shape && input.dataType.byteCount == output.dataType.byteCount
        }
    }
}
