import SardonyxTestSupport
import Testing

@testable import SardonyxImaging

/// A part of an axis whose other inputs count as 0.
struct AxisWindowTests {
    /// Inputs and outputs. Among the parts are outputs that read nothing of their window, first, last, between others or
    /// all of them, and windows of fewer inputs than there are weights.
    static let axes: [(from: Int, to: Int)] = [
        (54, 80), (118, 40), (14, 40), (40, 118), (20, 20), (9, 2), (2, 9), (1, 7),
    ]

    /// As the whole axis's dense matrix, whose other columns are 0.
    @Test(arguments: axes, Interpolation.allCases)
    func isAPartOfTheMatrix(_ counts: (from: Int, to: Int), _ method: Interpolation) {
        let (n, m) = counts
        let whole = AxisResampling(from: n, to: m, by: method)
        var matrix = [[Float]](repeating: [Float](repeating: 0, count: n), count: m)
        for o in 0..<m {
            for t in 0..<whole.taps { matrix[o][whole.first[o] + t] += whole.weights[o * whole.taps + t] }
        }
        let x = GeometryTests.random(SIMD3(n, 1, 1)).voxels
        for low in stride(from: 0, to: n, by: 3) {
            for window in [1, 2, 6, n].map({ low..<min(n, low + $0) }) {
                let read = (0..<m).filter { o in window.contains { matrix[o][$0] != 0 } }
                #expect(whole.outputs(of: window) == (read.first.map { $0..<read.last! + 1 } ?? 0..<0))
                for rows in [0..<m, m / 2..<m / 2 + 1, max(0, m - 4)..<m] {
                    let part = AxisResampling(whole, window: window, rows: rows)
                    #expect(part.inputCount == window.count && part.outputCount == rows.count)
                    #expect(part.first.allSatisfy { (0...window.count - part.taps).contains($0) })
                    #expect(zip(part.first, part.first.dropFirst()).allSatisfy { $0 <= $1 })
                    let wanted = rows.map { o in window.reduce(0) { $0 + matrix[o][$1] * x[$1] } }
                    let copies = rows.allSatisfy { o in
                        window.filter { matrix[o][$0] != 0 }.map { matrix[o][$0] } == [1]
                    }
                    #expect(!part.isCopy || copies)
                    // Along i, and along j of an image of three columns.
                    for inner in [1, 3] {
                        let input = window.flatMap { [Float](repeating: x[$0], count: inner) }
                        var found = [Float](repeating: .nan, count: rows.count * inner)
                        part.apply(
                            to: input, holding: 0..<window.count, inner: inner, outer: 1, onto: 0..<rows.count,
                            into: &found)
                        let columns = wanted.flatMap { [Float](repeating: $0, count: inner) }
                        #expect(zip(found, columns).allSatisfy { abs($0 - $1) < 1e-3 }, "\(window) \(rows)")
                    }
                }
            }
        }
    }
}
