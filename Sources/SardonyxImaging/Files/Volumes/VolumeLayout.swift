/// What the header of a volume file comes down to, whatever its format: where each value lies in the file and where in
/// the patient.
struct VolumeLayout: Sendable {
    /// What an axis of the file counts.
    enum Role {
        /// Voxels: the first three such axes are i, j and k, others count frames.
        case space
        /// Values of one voxel.
        case component
        /// Volumes of the same place.
        case frame
    }

    /// Sizes and the distances of neighbours, in values, of the axes of one role.
    struct Axes: Sendable {
        var sizes: [Int] = []
        var strides: [Int] = []

        var count: Int { sizes.reduce(1, *) }

        /// Where element `index` lies, the first axis counting fastest.
        func offset(_ index: Int) -> Int {
            var (rest, offset) = (index, 0)
            for (size, stride) in zip(sizes, strides) {
                offset += rest % size * stride
                rest /= size
            }
            return offset
        }
    }

    /// How the values are written down.
    enum Encoding {
        case raw
        /// gzip or zlib.
        case deflate
        /// Decimal numbers with blanks between them.
        case text
        /// Two hexadecimal digits a byte.
        case hex
        /// Pages of a picture file.
        case picture
    }

    /// A file, or a part of one, that holds an equal share of the values.
    struct Piece: Sendable {
        var path: String
        /// Byte of the file where it begins.
        var start: UInt64 = 0
        /// Lines to pass over from there.
        var lines = 0
        /// Bytes to pass over then, counted after decompression; nil when the values are the last ones of the file.
        var skip: UInt64? = 0
    }

    /// The header's file.
    let path: String
    /// "181×217×181 int16".
    let summary: String
    /// As the header names it.
    let type: VoxelType
    /// Voxels along i, j, k; 1 for those that the file does not have.
    let dims: SIMD3<Int>
    /// Distances of neighbouring voxels along i, j, k, in values.
    let strides: SIMD3<Int>
    let frames: Axes
    let components: Axes
    /// All the values there are; 16 bytes for each can be counted.
    let count: Int

    var affine = Affine.identity
    var isLittleEndian = true
    var scaling: (slope: Double, intercept: Double)?
    var isColour = false
    /// NIfTI's code of the space that the affine leads to.
    var spaceCode = 1
    /// Seconds between frames; 0 where it is unknown.
    var frameDuration = 0.0
    var encoding = Encoding.raw
    var pieces: [Piece] = []

    /// - Parameter axes: those of the file, the fastest first; the components that `type` has are not among them.
    /// - Throws: `ImagingError` without a path: `.badHeader` for a size below 1, `.tooLarge`.
    init(_ path: String, axes: [(size: Int, role: Role)], type: VoxelType) throws {
        self.path = path
        self.type = type
        summary = axes.map { String($0.size) }.joined(separator: "×") + " \(type)"
        var (dims, strides) = (SIMD3(1, 1, 1), SIMD3<Int>.zero)
        var (frames, components) = (Axes(), Axes())
        var (space, stride, bytes) = (0, 1, 16)
        for (axis, (size, role)) in ([(type.components, .component)] + axes).enumerated() {
            guard size > 0 else {
                throw ImagingError(
                    .badHeader, problem: "the size of axis \(axis) is \(size), expected 1 or more",
                    remedy: "repair the header")
            }
            let (total, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard !overflow else {
                throw ImagingError(
                    .tooLarge, problem: "the header says \(summary), more than any file can hold",
                    remedy: "repair the header's sizes")
            }
            switch role {
            case .component:
                components.sizes.append(size)
                components.strides.append(stride)
            case .space where space < 3:
                dims[space] = size
                strides[space] = stride
                space += 1
            case .space, .frame:
                frames.sizes.append(size)
                frames.strides.append(stride)
            }
            bytes = total
            stride *= size
        }
        (self.dims, self.strides, self.frames, self.components) = (dims, strides, frames, components)
        count = stride
    }

    var grid: VoxelGrid { VoxelGrid(dims: dims, affine: affine) }

    /// Bytes of all values as they are stored when raw.
    var dataBytes: UInt64 { UInt64(count) * UInt64(type.component.bytes) }

    /// Bytes of the values of one piece.
    var pieceBytes: UInt64 { dataBytes / UInt64(max(1, pieces.count)) }

    /// Refuses, before anything is written, a piece that decodes to less than its share even at best.
    func checkBound(_ piece: Piece, _ reader: ByteReader) throws {
        let skip = piece.skip ?? 0
        let text = reader.stored > skip ? reader.stored - skip : 0
        let most: UInt64
        switch encoding {
        case .raw, .deflate: most = reader.sizeBound > skip ? reader.sizeBound - skip : 0
        case .text: most = (text / 2 + 1).multipliedReportingOverflow(by: UInt64(type.bytes)).partialValue
        case .hex: most = text / 2
        // What decodes them knows what the bytes can hold.
        case .picture: return
        }
        guard pieceBytes <= most else {
            let kind = encoding == .deflate ? "compressed data" : "text"
            throw ImagingError(
                .truncated, path: piece.path,
                problem: "the header says \(summary) (\(Format.bytes(dataBytes))) but \(reader.stored) bytes of "
                    + "\(kind) cannot hold so much",
                remedy: "copy it again, or repair the header's sizes")
        }
    }

    /// That the file ends too early.
    ///
    /// - Parameters:
    ///   - path: the file that ends.
    ///   - held: bytes of values that it holds.
    ///   - isCut: the file itself is damaged, not merely filled with too little.
    func cut(_ path: String, held: UInt64, isCut: Bool) -> ImagingError {
        let decoded = encoding == .raw ? "" : encoding == .deflate ? " after decompression" : " of values"
        let share = pieces.count > 1 ? ", \(Format.bytes(pieceBytes)) a file" : ""
        return ImagingError(
            .truncated, path: path,
            problem: "the header says \(summary) (\(Format.bytes(dataBytes))\(share)) but the file holds "
                + Format.bytes(held) + decoded + (isCut ? "; it is cut short" : ""),
            remedy: isCut || encoding == .raw ? "copy it again" : "write it again: it was compressed incomplete")
    }
}

extension Affine {
    /// An affine of fewer than three axes, completed by steps of 1 mm at right angles; `axes` are those that there are,
    /// i first, and need not be independent.
    init(axes: [SIMD3<Double>], origin: SIMD3<Double>) {
        var columns = Array(axes.prefix(3))
        while columns.count < 3 {
            // Of the patient's axes, what is left of each beside the columns' plane; the longest remainder is safest.
            let rest = (0..<3).map { axis -> SIMD3<Double> in
                var v = SIMD3<Double>.zero
                v[(axis + columns.count) % 3] = 1
                if columns.count == 2 { return Affine.cross(columns[0], columns[1]) }
                guard let first = columns.first else { return v }
                let square = (first * first).sum()
                return square > 0 ? v - first * ((v * first).sum() / square) : v
            }
            let best = rest.max { Affine.length($0) < Affine.length($1) * (1 - 1e-9) }!
            columns.append(best / max(Affine.length(best), .leastNormalMagnitude))
        }
        self.init(columns: columns[0], columns[1], columns[2], origin: origin)
    }

    /// The affine to RAS+ of one that leads to other patient axes.
    ///
    /// - Parameter signs: 1 or −1 for x, y and z: −1, −1, 1 from LPS+.
    func flipped(_ signs: SIMD3<Double>) -> Affine { Affine(x * signs.x, y * signs.y, z * signs.z) }

    static let fromLPS = SIMD3<Double>(-1, -1, 1)
}

/// Units of headers.
enum Unit {
    /// Millimetres in a unit of length; 1 for those that are not known.
    static func millimetres(_ name: String) -> Double {
        switch name.lowercased() {
        case "m", "meter", "meters", "metre", "metres": return 1000
        case "cm", "centimeter", "centimeters": return 10
        case "um", "µm", "μm", "micron", "microns", "micrometer", "micrometers": return 0.001
        case "nm", "nanometer", "nanometers": return 1e-6
        default: return 1
        }
    }

    /// Seconds in a unit of time; 0 for those that are not known.
    static func seconds(_ name: String) -> Double {
        switch name.lowercased() {
        case "s", "sec", "second", "seconds": return 1
        case "ms", "msec", "millisecond", "milliseconds": return 0.001
        case "us", "µs", "μs", "microsecond", "microseconds": return 1e-6
        default: return 0
        }
    }
}
