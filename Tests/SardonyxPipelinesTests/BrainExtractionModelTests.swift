import Sardonyx
import SardonyxTestSupport
import Testing

@testable import SardonyxImaging
@testable import SardonyxPipelines

/// The demo: the trained model on Debian's head. Figures: `Models/brain-extraction/expected.json`, from ONNX Runtime and
/// SciPy, which give the same mask voxel for voxel.
@Suite(.enabled(if: fileExists(ch2) && fileExists(ch2bet)), .serialized)
struct BrainExtractionModelTests {
    static let model =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        + "/Models/brain-extraction/model.onnx"

    @Test func realHead() throws {
        let session = try Session(Model(contentsOf: BrainExtractionModelTests.model))
        let volume = try NIfTI(contentsOf: ch2).volume()
        let mask = try BrainExtraction()(volume, session: session)
        let reference = try NIfTI(contentsOf: ch2bet).volume().mask(above: 0)
        #expect(abs(mask.millilitres - 1873.861) < 0.5)
        #expect(abs(reference.millilitres - 1737.193) < 1e-6)
        #expect(abs(try mask.dice(reference) - 0.93376) < 2e-4)
        #expect(Components(of: mask).count == 1)
        // Another order of the same voxels: the same brain, bit for bit.
        let turned = volume.reoriented(to: Orientation("PIL")!)
        let again = try BrainExtraction()(turned, session: session)
        #expect(again.grid == turned.grid)
        #expect(again.reoriented(to: .ras).voxels == mask.voxels)
    }

    @Test func picture() throws {
        let volume = try NIfTI(contentsOf: ch2).volume()
        let reference = try NIfTI(contentsOf: ch2bet).volume().mask(above: 0)
        var view = ThreePlaneView()
        view.style.width = 4 * 20 + 434 + 434 + 520
        let picture = try view.render(volume, mask: reference)
        // 217 mm over 520 pixels: panels of 434×520, 434×434 and 520×434.
        #expect(picture.width == 4 * 20 + 434 + 434 + 520)
        // The outline's ends lie where the mask's ends lie, counted from the patient's right and top.
        let outline = (0..<picture.height).flatMap { y in
            (0..<picture.width).filter { x in
                let pixel = picture[x, y]
                return pixel.red > 200 && pixel.green > 150 && pixel.blue < 60
            }.map { (x: $0, y: y) }
        }
        let centre = try #require(reference.centroid)
        let (y, z) = (Int(centre.y.rounded()), Int(centre.z.rounded()))
        let columns = (0..<181).filter { x in (0..<217).contains { reference[x, $0, z] != 0 } }
        let slices = (0..<181).filter { z in (0..<181).contains { reference[$0, y, z] != 0 } }
        let scale = 520.0 / 217
        let coronal = outline.filter { $0.x >= 474 && $0.x < 908 }.map { Double($0.y) }
        let axial = outline.filter { $0.x < 454 }.map { Double($0.x) }
        let expected = [
            89 + Double(180 - slices.last!) * scale, 89 + Double(181 - slices[0]) * scale,
            20 + Double(180 - columns.last!) * scale, 20 + Double(181 - columns[0]) * scale,
        ]
        #expect(isClose([coronal.min()!, coronal.max()!, axial.min()!, axial.max()!], expected, 2))
    }
}
