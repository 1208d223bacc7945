import Testing

@testable import SardonyxImaging

struct MeasureTableTests {
    /// Two labels of which one does not occur, with an image that is not finite anywhere.
    static func regions() throws -> [RegionMeasures] {
        let grid = VoxelGrid(dims: SIMD3(4, 3, 2), affine: Affine(spacing: SIMD3(0.5, 0.5, 2), origin: SIMD3(-1, 2, 3)))
        var labels = Volume<UInt16>(grid: grid)
        for (i, j, k) in [(1, 1, 0), (2, 1, 0), (1, 1, 1)] { labels[i, j, k] = 7 }
        var image = Volume<Float>(grid: grid, repeating: 0.1)
        image[2, 1, 0] = -3
        image[1, 1, 1] = .nan
        var options = LabelMeasures()
        options.labels = [7, 2]
        options.percentiles = [50, 97.5]
        return try options.measure(labels, image: image)
    }

    /// Read back by Python's csv and json: equal to the values measured.
    @Test func csv() throws {
        let regions = try MeasureTableTests.regions()
        let table = MeasureTable(
            regions, names: [7: "tumour, \"left\""], percentiles: [50, 97.5], unit: "HU")
        #expect(
            table.csv
                == ([
                    [
                        "label,name,component,voxels,volume_ml,surface_mm2,sphericity,longest_diameter_mm,",
                        "longest_in_slice_mm,perpendicular_in_slice_mm,slice_k_voxel,centroid_i_voxel,",
                        "centroid_j_voxel,centroid_k_voxel,centroid_x_mm,centroid_y_mm,centroid_z_mm,",
                        "first_i_voxel,last_i_voxel,first_j_voxel,last_j_voxel,first_k_voxel,last_k_voxel,",
                        "mean_hu,sd_hu,minimum_hu,maximum_hu,p50_hu,p97.5_hu,not_finite_voxels",
                    ].joined(),
                    [
                        "7,\"tumour, \"\"left\"\"\",,3,0.0015,6.317271292046527,1.0031104837166296,",
                        "2.0615528128088303,0.5,0.0,0,1.3333333333333333,1.0,0.3333333333333333,",
                        "-0.33333333333333337,2.5,3.6666666666666665,1,2,1,1,0,1,-1.449999999254942,",
                        "1.550000000745058,-3.0,0.10000000149011612,-1.449999999254942,", "0.022500001452863128,1",
                    ].joined(), ["2,,,0,0.0,,,,,,,,,,,,,,,,,,,,,,,,,0"].joined(),
                ].map { $0 + "\r\n" }.joined()))
    }

    @Test func json() throws {
        let regions = try MeasureTableTests.regions()
        let table = MeasureTable(regions, names: [2: "Läsion"], percentiles: [50, 97.5])
        #expect(
            table.json.text(pretty: true) == """
                {
                  "regions": [
                    {
                      "label": 7,
                      "name": null,
                      "component": null,
                      "voxels": 3,
                      "volume_ml": 0.0015,
                      "surface_mm2": 6.317271292046527,
                      "sphericity": 1.0031104837166296,
                      "longest_diameter_mm": 2.0615528128088303,
                      "longest_in_slice_mm": 0.5,
                      "perpendicular_in_slice_mm": 0.0,
                      "slice_k_voxel": 0,
                      "centroid_i_voxel": 1.3333333333333333,
                      "centroid_j_voxel": 1.0,
                      "centroid_k_voxel": 0.3333333333333333,
                      "centroid_x_mm": -0.33333333333333337,
                      "centroid_y_mm": 2.5,
                      "centroid_z_mm": 3.6666666666666665,
                      "first_i_voxel": 1,
                      "last_i_voxel": 2,
                      "first_j_voxel": 1,
                      "last_j_voxel": 1,
                      "first_k_voxel": 0,
                      "last_k_voxel": 1,
                      "mean": -1.449999999254942,
                      "sd": 1.550000000745058,
                      "minimum": -3.0,
                      "maximum": 0.10000000149011612,
                      "p50": -1.449999999254942,
                      "p97.5": 0.022500001452863128,
                      "not_finite_voxels": 1
                    },
                    {
                      "label": 2,
                      "name": "Läsion",
                      "component": null,
                      "voxels": 0,
                      "volume_ml": 0.0,
                      "surface_mm2": null,
                      "sphericity": null,
                      "longest_diameter_mm": null,
                      "longest_in_slice_mm": null,
                      "perpendicular_in_slice_mm": null,
                      "slice_k_voxel": null,
                      "centroid_i_voxel": null,
                      "centroid_j_voxel": null,
                      "centroid_k_voxel": null,
                      "centroid_x_mm": null,
                      "centroid_y_mm": null,
                      "centroid_z_mm": null,
                      "first_i_voxel": null,
                      "last_i_voxel": null,
                      "first_j_voxel": null,
                      "last_j_voxel": null,
                      "first_k_voxel": null,
                      "last_k_voxel": null,
                      "mean": null,
                      "sd": null,
                      "minimum": null,
                      "maximum": null,
                      "p50": null,
                      "p97.5": null,
                      "not_finite_voxels": 0
                    }
                  ]
                }
                """)
        let plain = MeasureTable([RegionMeasures(label: 1, voxelCount: 0, millilitres: 0)])
        #expect(!plain.csv.contains("mean") && plain.csv.hasPrefix("label,name,component,voxels,volume_ml,"))
    }

    @Test func text() throws {
        let table = MeasureTable(try MeasureTableTests.regions(), names: [7: "lésion"], percentiles: [50], unit: "HU")
        #expect(
            table.text == """
                label   voxels    mL  surface mm²  longest mm  in slice mm  across mm  slice  mean HU   SD   min  max
                lésion       3  0.00          6.3         2.1          0.5        0.0      0     -1.4  1.6  -3.0  0.1
                2            0  0.00            -           -            -          -      -        -    -     -    -
                """)
        var options = LabelMeasures()
        options.measuresComponents = true
        options.measuresDiameters = false
        options.measuresSurface = false
        let parts = MeasureTable(try options.measure(LabelStreamTests.blobs))
        #expect(
            parts.text.split(separator: "\n").prefix(4) == [
                "label  part  voxels    mL", "1       all    2793  2.79", "1         1    2082  2.08",
                "1         2     711  0.71",
            ])
    }

    /// Python's `json.loads` reads each of these texts as the value.
    @Test func jsonText() {
        let rows: [(JSONValue, String)] = [
            (.null, "null"), (.bool(true), "true"), (.integer(.min), "-9223372036854775808"), (.number(0.1), "0.1"),
            (.number(5), "5.0"), (.number(-0.0), "-0.0"), (.number(.leastNonzeroMagnitude), "5e-324"),
            (.number(1e300), "1e+300"),
            (.number(0.1 + 0.2), "0.30000000000000004"), (.number(.nan), "null"), (.number(-.infinity), "null"),
            (.string("a\"b\\c/\n\r\t\u{1}\u{7f}é😀"), "\"a\\\"b\\\\c/\\n\\r\\t\\u0001\\u007fé😀\""),
            (.array([]), "[]"), (.object([]), "{}"), (.optional(nil as Double?), "null"), (.optional("x"), "\"x\""),
            (.vector(SIMD3(1, 2, 3)), "[1,2,3]"), (.vector(SIMD3(0.5, 1, 2)), "[0.5,1.0,2.0]"),
            (
                .object([("b", .integer(1)), ("a", .array([.object([("c", .null)])]))]),
                "{\"b\":1,\"a\":[{\"c\":null}]}"
            ),
        ]
        for (value, text) in rows { #expect(value.text() == text) }
        let nested = JSONValue.object([
            ("z", .array([.integer(1), .bool(false)])), ("empty", .object([])), ("none", .array([])),
            ("a", .array([.object([("k", .string("v"))]), .array([.null])])),
        ])
        #expect(
            nested.text(pretty: true) == """
                {
                  "z": [1, false],
                  "empty": {},
                  "none": [],
                  "a": [
                    {
                      "k": "v"
                    },
                    [null]
                  ]
                }
                """)
        #expect(nested == nested && nested != .null)
        // Every bit of a number survives.
        var random = Congruence()
        for _ in 0..<2000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(Double(JSONValue.number(value).text())?.bitPattern == value.bitPattern)
        }
    }
}
