/// Runs a network on tiles: values of shape [batch, channels, spatial …] in, values in the same order out.
///
/// A session of the runtime fits behind it; a test gives a closure.
protocol Network: AnyObject {
    /// Bytes that runs on an input of this shape hold.
    func byteCount(shape: [Int]) throws -> Int
    /// The output's shape for an input's.
    func outputShape(shape: [Int]) throws -> [Int]
    /// Fills `input` through `fill`, runs, and gives the output to `use`.
    func run(
        shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws -> Void,
        use: (UnsafeBufferPointer<Float>, [Int]) throws -> Void
    ) throws
}
