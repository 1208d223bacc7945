import Testing

@testable import SardonyxImaging

struct SliceTests {
    /// 0 and 1 on `size` by `size` millimetres, 1 inside the square from `low` to `high`.
    static func square(_ size: Int, _ low: Int, _ high: Int) -> Slice {
        let values = (0..<(size * size)).map { p -> Float in
            (low..<high).contains(p % size) && (low..<high).contains(p / size) ? 1 : 0
        }
        return Slice(width: size, height: size, step: (1, 1), values: values)
    }

    /// Line and inside of label 1 as pictures of their own.
    static func cover(
        _ slice: Slice, _ size: Int, thickness: Float, inset: Float = 0
    ) -> (line: [Float], inside: [Float]) {
        var (line, inside) = ([Float](repeating: 0, count: size * size), [Float](repeating: 0, count: size * size))
        slice.cover(of: 1, size, size, thickness: thickness, inset: inset) { x, y, l, i in
            line[y * size + x] = l
            inside[y * size + x] = i
        }
        return (line, inside)
    }

    /// A 20 mm square: its outline is a square of 20 mm, 2 pixels thick; a lone label's runs on the border, a
    /// neighbour's inside of it.
    @Test(arguments: [Float(0), 1])
    func outline(inset: Float) {
        let expected = inset == 0 ? [99, 100, 299, 300] : [100, 101, 298, 299]
        let (line, inside) = SliceTests.cover(SliceTests.square(40, 10, 30), 400, thickness: 2, inset: inset)
        let row = Array(line[(200 * 400)..<(201 * 400)])
        #expect(row.indices.filter { row[$0] > 0.4 } == expected)
        #expect(abs(row.reduce(0, +) - 4) < 0.1)
        #expect(inside[200 * 400 + 200] == 1 && inside[200 * 400 + 90] == 0)
        #expect(abs(inside.reduce(0, +) / 40000 - 1) < 0.01)
    }

    /// A mask that fills the slice is closed at its border.
    @Test func outlineAtTheBorder() {
        let line = SliceTests.cover(SliceTests.square(40, 0, 40), 400, thickness: 2).line
        #expect(line[200 * 400] > 0.4 && line[200 * 400 + 399] > 0.4 && line[200 * 400 + 200] == 0)
    }

    /// One voxel of 40 × 40 shows, however large or small the picture is and wherever the voxel lies.
    @Test(arguments: [7, 10, 13, 20, 27, 33, 40, 47, 80, 400])
    func oneVoxelIsSeen(size: Int) {
        for place in [0, 3, 17, 20, 38, 39] {
            for inset in [Float(0), 0.75] {
                let (line, inside) = SliceTests.cover(
                    SliceTests.square(40, place, place + 1), size, thickness: 1.5, inset: inset)
                // On a picture of a sixth of its voxels, one is a thirty-sixth of a pixel.
                let seen = Double(size) / 40
                #expect(Double(line.max()!) > 0.5 * min(1, seen * seen), "\(size), \(place), \(inset)")
                #expect(inside.max()! > 0)
            }
        }
    }

    /// Other labels are not touched.
    @Test func labelsAreApart() {
        var slice = SliceTests.square(20, 5, 10)
        for row in 5..<10 { for column in 10..<15 { slice.values[row * 20 + column] = 2 } }
        let alone = SliceTests.cover(SliceTests.square(20, 5, 10), 100, thickness: 2)
        let beside = SliceTests.cover(slice, 100, thickness: 2)
        #expect(alone.line == beside.line && alone.inside == beside.inside)
    }

    @Test func smoothPassesThroughTheValues() {
        let slice = Slice(
            width: 5, height: 4, step: (1, 1), values: GeometryTests.random(SIMD3(5, 4, 1)).voxels)
        #expect(slice.smooth(5, 4) == slice.values)
        let wide = slice.smooth(15, 12)
        // Output 1, 4, 7, … lie on the inputs' centres.
        for row in 0..<4 {
            for column in 0..<5 {
                #expect(abs(wide[(3 * row + 1) * 15 + 3 * column + 1] - slice.values[row * 5 + column]) < 1e-3)
            }
        }
    }

    /// Away from the borders, where conventions differ: Pillow 12's
    /// `Image.fromarray(a).resize((10, 1), Image.BICUBIC)` and `(40, 1)` of a[i] = 37 i mod 101.
    @Test func smoothIsPillows() {
        let values = (0..<24).map { Float($0 * 37 % 101) }
        let across = Slice(width: 24, height: 1, step: (1, 1), values: values)
        let down = Slice(width: 1, height: 24, step: (1, 1), values: values)
        for result in [across.smooth(10, 1), down.smooth(1, 10)] {
            #expect(isClose(result[2..<8].map(Double.init), [52, 64.342, 36.096, 43.35, 50.458, 57.877], 2e-3))
        }
        #expect(
            isClose(
                across.smooth(40, 1)[10..<16].map(Double.init), [27.952, 27.528, 57, 86.472, 86.048, 37.952], 2e-3))
    }
}
