/// Numbers at fixed places of a header.
private struct Fields {
    let bytes: [UInt8]
    let swapped: Bool

    private func load<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
        let stored = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
        return swapped ? stored.byteSwapped : stored
    }
    func int16(_ offset: Int) -> Int { Int(load(offset, Int16.self)) }
    func int32(_ offset: Int) -> Int { Int(load(offset, Int32.self)) }
    func int64(_ offset: Int) -> Int { Int(load(offset, Int64.self)) }
    func float(_ offset: Int) -> Double { Double(Float(bitPattern: load(offset, UInt32.self))) }
    func double(_ offset: Int) -> Double { Double(bitPattern: load(offset, UInt64.self)) }
    func text(_ offset: Int, _ count: Int) -> String {
        String(decoding: bytes[offset..<offset + count].prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension NIfTIHeader {
    /// Bytes that tell the version, and whole header sizes.
    static let size1 = 348
    static let size2 = 540

    /// The size of the header that `start` (its first 4 bytes) opens, and whether its bytes are swapped; `nil` for
    /// anything that is not NIfTI.
    static func recognise(_ start: [UInt8]) -> (size: Int, swapped: Bool)? {
        guard start.count >= 4 else { return nil }
        let little = start[0..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        let big = start[0..<4].reduce(0) { $0 << 8 | Int($1) }
        for size in [size1, size2] {
            if little == size { return (size, false) }
            if big == size { return (size, true) }
        }
        return nil
    }

    /// Reads a header of `recognise`'s size.
    ///
    /// - Throws: `ImagingError` without a path: `.unknownFormat`, `.badHeader`, `.badGeometry`, `.unsupported`,
    ///   `.tooLarge`.
    init(parsing bytes: [UInt8]) throws {
        guard let (size, swapped) = NIfTIHeader.recognise(bytes), bytes.count >= size else {
            throw ImagingError(
                .unknownFormat, problem: "it does not begin with a NIfTI header", remedy: "convert it to NIfTI")
        }
        let fields = Fields(bytes: bytes, swapped: swapped)
        self.init()
        isLittleEndian = !swapped
        version = size == NIfTIHeader.size1 ? 1 : 2
        let rawOffset: Double
        var quaternion: [Double]
        var srows: [[Double]]
        if version == 1 {
            try readMagic(fields.text(344, 4), single: "n+1", pair: "ni1")
            try readDims((0..<8).map { fields.int16(40 + 2 * $0) })
            try readType(fields.int16(70))
            pixelDimensions = (1..<8).map { fields.float(76 + 4 * $0) }
            rawOffset = fields.float(108)
            (slope, intercept) = (fields.float(112), fields.float(116))
            readUnits(Int(bytes[123]))
            text = fields.text(148, 80)
            (qformCode, sformCode) = (fields.int16(252), fields.int16(254))
            quaternion = (0..<6).map { fields.float(256 + 4 * $0) } + [fields.float(76)]
            srows = (0..<3).map { row in (0..<4).map { fields.float(280 + 16 * row + 4 * $0) } }
        } else {
            try readMagic(fields.text(4, 4), single: "n+2", pair: "ni2")
            guard Array(bytes[8..<12]) == [0x0d, 0x0a, 0x1a, 0x0a] else {
                throw ImagingError(
                    .corrupt, problem: "the header's line-end mark is broken, as after a transfer in text mode",
                    remedy: "transfer the file again in binary mode")
            }
            try readDims((0..<8).map { fields.int64(16 + 8 * $0) })
            try readType(fields.int16(12))
            pixelDimensions = (1..<8).map { fields.double(104 + 8 * $0) }
            rawOffset = Double(fields.int64(168))
            (slope, intercept) = (fields.double(176), fields.double(184))
            readUnits(fields.int32(500))
            text = fields.text(240, 80)
            (qformCode, sformCode) = (fields.int32(344), fields.int32(348))
            quaternion = (0..<6).map { fields.double(352 + 8 * $0) } + [fields.double(104)]
            srows = (0..<3).map { row in (0..<4).map { fields.double(400 + 32 * row + 8 * $0) } }
        }
        try readOffset(rawOffset)
        if slope != 0, slope.isFinite, !intercept.isFinite {
            throw ImagingError(
                .badHeader, problem: "scl_slope is \(Format.short(slope)) but scl_inter is not a number",
                remedy: "set scl_inter to 0 if there is no offset")
        }
        try readAffine(quaternion: &quaternion, srows: &srows)
    }

    private mutating func readMagic(_ magic: String, single: String, pair: String) throws {
        guard magic == single || magic == pair else {
            throw ImagingError(
                .unknownFormat,
                problem: "the header has the size of NIfTI-\(version) but not its mark (\"\(single)\" or \"\(pair)\")",
                remedy: "if it is ANALYZE 7.5, which does not tell left from right, convert it to NIfTI")
        }
        isSingleFile = magic == single
    }

    private mutating func readDims(_ dim: [Int]) throws {
        guard (1...7).contains(dim[0]) else {
            throw ImagingError(
                .badHeader, problem: "dim[0] is \(dim[0]), expected 1 to 7 dimensions", remedy: "repair the header")
        }
        dims = Array(dim[1...dim[0]])
        for (axis, size) in dims.enumerated() where size < 1 {
            throw ImagingError(
                .badHeader, problem: "dim[\(axis + 1)] is \(size), expected 1 or more", remedy: "repair the header")
        }
    }

    private mutating func readType(_ code: Int) throws {
        guard let type = NIfTIDataType(rawValue: code) else {
            let name = code == 1 ? "1-bit binary" : code == 0 ? "unknown" : "no type of the standard"
            throw ImagingError(
                .unsupported, problem: "datatype \(code) (\(name)) cannot be read",
                remedy: "convert the voxels to a type such as uint8, int16 or float32")
        }
        dataType = type
        // A Float of each voxel must be countable too, hence the 16 bytes at least.
        var total = max(type.bytes, 16)
        for size in dims {
            let (product, overflow) = total.multipliedReportingOverflow(by: size)
            guard !overflow else {
                throw ImagingError(
                    .tooLarge, problem: "the header says \(summary), more than any file can hold",
                    remedy: "repair the header's dimensions")
            }
            total = product
        }
    }

    private mutating func readUnits(_ code: Int) {
        switch code & 7 {
        case 1: millimetresPerUnit = 1000
        case 3: millimetresPerUnit = 0.001
        default: millimetresPerUnit = 1
        }
        let second: [Int: Double] = [8: 1, 16: 1e-3, 24: 1e-6]
        if dims.count > 3, let unit = second[code & 0x38] {
            let duration = pixelDimensions[3] * unit
            frameDuration = duration > 0 && duration.isFinite ? duration : 0
        }
    }

    private mutating func readOffset(_ raw: Double) throws {
        let least = !isSingleFile ? 0 : version == 1 ? 352 : 544
        // 0 in a single file is what some writers leave for "right behind the header".
        let value = isSingleFile && raw == 0 ? Double(least) : raw
        guard value.isFinite, value == value.rounded(), value >= Double(least), value < 9e15 else {
            let shown = raw.isFinite ? Format.short(raw) : Format.fixed(raw, 0)
            throw ImagingError(
                .badHeader, problem: "vox_offset is \(shown), expected a whole number of \(least) or more",
                remedy: "repair the header")
        }
        voxelOffset = UInt64(value)
    }
}
