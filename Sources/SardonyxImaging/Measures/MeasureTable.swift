/// Measures as a table for a terminal, as CSV and as JSON; units are in the names.
public struct MeasureTable: Sendable, Equatable {
    /// The rows.
    public let regions: [RegionMeasures]
    /// A name for each label; others are written by number.
    public let names: [UInt16: String]
    /// The percentiles that the regions hold.
    public let percentiles: [Double]
    /// The unit of the image's values, such as "HU"; empty when unknown.
    public let unit: String

    /// Wraps measures; `percentiles` as they were asked for.
    public init(
        _ regions: [RegionMeasures], names: [UInt16: String] = [:],
        percentiles: [Double] = LabelMeasures().percentiles, unit: String = ""
    ) {
        self.regions = regions
        self.names = names
        self.percentiles = percentiles
        self.unit = unit
    }

    /// RFC 4180: a header, CRLF, dot decimals, numbers exact to the last bit, empty fields for what is not known.
    public var csv: String {
        let columns = columns
        let lines =
            [columns.map { MeasureTable.field($0.name) }]
            + regions.map { region in columns.map { MeasureTable.field($0.value(region).csv) } }
        return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
    }

    /// {"regions": [{"label": 1, …}, …]}: the columns of the CSV as keys, always in the same order, null for what is
    /// not known.
    public var json: JSONValue {
        let columns = columns
        return .object([
            ("regions", .array(regions.map { region in .object(columns.map { ($0.name, $0.value(region)) }) }))
        ])
    }

    /// Aligned columns for people: what matters most, rounded, without a line feed at the end.
    public var text: String {
        func short(_ value: Double?) -> String { value.map { $0.isFinite ? Format.fixed($0, 1) : "-" } ?? "-" }
        var columns: [(String, (RegionMeasures) -> String)] = [
            ("label", { region in names[region.label] ?? String(region.label) })
        ]
        if regions.contains(where: { $0.component != nil }) {
            columns.append(("part", { $0.component.map { String($0) } ?? "all" }))
        }
        columns += [("voxels", { String($0.voxelCount) }), ("mL", { Format.fixed($0.millilitres, 2) })]
        if regions.contains(where: { $0.surfaceSquareMillimetres != nil }) {
            columns.append(("surface mm²", { short($0.surfaceSquareMillimetres) }))
        }
        if regions.contains(where: { $0.diameterMillimetres != nil }) {
            columns += [
                ("longest mm", { short($0.diameterMillimetres) }),
                ("in slice mm", { short($0.inPlane?.longestMillimetres) }),
                ("across mm", { short($0.inPlane?.perpendicularMillimetres) }),
                ("slice", { $0.inPlane.map { String($0.slice) } ?? "-" }),
            ]
        }
        if regions.contains(where: { $0.intensity != nil }) {
            columns += [
                ("mean" + (unit.isEmpty ? "" : " " + unit), { short($0.intensity?.mean) }),
                ("SD", { short($0.intensity?.standardDeviation) }), ("min", { short($0.intensity?.minimum) }),
                ("max", { short($0.intensity?.maximum) }),
            ]
        }
        let cells = [columns.map { $0.0 }] + regions.map { region in columns.map { $0.1(region) } }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max()! }
        return cells.map { row in
            let padded = zip(row, widths).enumerated().map { column, cell in
                let gap = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + gap : gap + cell.0
            }
            return padded.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Every column of CSV and JSON; those of an image only when there was one.
    private var columns: [(name: String, value: (RegionMeasures) -> JSONValue)] {
        func integer(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
        var columns: [(name: String, value: (RegionMeasures) -> JSONValue)] = [
            ("label", { .integer(Int($0.label)) }), ("name", { .optional(names[$0.label]) }),
            ("component", { integer($0.component) }), ("voxels", { .integer($0.voxelCount) }),
            ("volume_ml", { .number($0.millilitres) }),
            ("surface_mm2", { .optional($0.surfaceSquareMillimetres) }), ("sphericity", { .optional($0.sphericity) }),
            ("longest_diameter_mm", { .optional($0.diameterMillimetres) }),
            ("longest_in_slice_mm", { .optional($0.inPlane?.longestMillimetres) }),
            ("perpendicular_in_slice_mm", { .optional($0.inPlane?.perpendicularMillimetres) }),
            ("slice_k_voxel", { integer($0.inPlane?.slice) }),
        ]
        for (axis, name) in ["i", "j", "k"].enumerated() {
            columns.append(("centroid_\(name)_voxel", { .optional($0.centroid?[axis]) }))
        }
        for (axis, name) in ["x", "y", "z"].enumerated() {
            columns.append(("centroid_\(name)_mm", { .optional($0.centroidMillimetres?[axis]) }))
        }
        for (axis, name) in ["i", "j", "k"].enumerated() {
            columns.append(("first_\(name)_voxel", { integer($0.boundingBox?.lower[axis]) }))
            columns.append(("last_\(name)_voxel", { integer($0.boundingBox?.upper[axis]) }))
        }
        guard regions.contains(where: { $0.intensity != nil }) else { return columns }
        let suffix = unit.isEmpty ? "" : "_" + unit.lowercased()
        columns += [
            ("mean" + suffix, { .optional($0.intensity?.mean) }),
            ("sd" + suffix, { .optional($0.intensity?.standardDeviation) }),
            ("minimum" + suffix, { .optional($0.intensity?.minimum) }),
            ("maximum" + suffix, { .optional($0.intensity?.maximum) }),
        ]
        for (place, percent) in percentiles.enumerated() {
            columns.append(
                (
                    "p\(Format.short(percent))\(suffix)",
                    { region in
                        let values = region.intensity?.percentiles ?? []
                        return .optional(place < values.count ? values[place] : nil)
                    }
                ))
        }
        columns.append(("not_finite_voxels", { integer($0.intensity?.notFinite) }))
        return columns
    }

    /// Quoted where RFC 4180 asks for it.
    package static func field(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }) else {
            return text
        }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}

extension JSONValue {
    /// A CSV field before quoting.
    fileprivate var csv: String {
        switch self {
        case .string(let text): text
        case .number(let value): value.isFinite ? value.description : ""
        case .integer(let value): String(value)
        default: ""
        }
    }
}
