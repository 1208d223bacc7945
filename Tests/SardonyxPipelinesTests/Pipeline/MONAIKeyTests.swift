import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Which of a bundle's values its transforms work on.
struct MONAIKeyTests {
    /// Transforms of other values than the image and the network's output change nothing; arguments that have a value
    /// for each key are read at the image's.
    @Test(arguments: [
        ("\"EnsureTyped\", \"keys\": \"@key\"", "\"ShiftIntensityd\", \"keys\": \"label\", \"offset\": -1"),
        ("\"EnsureTyped\", \"keys\": \"@key\"", "\"Resized\", \"keys\": \"label\", \"spatial_size\": [96, 96, 96]"),
        ("\"EnsureTyped\", \"keys\": \"@key\"", "\"CastToTyped\", \"keys\": [\"label\"], \"dtype\": \"$torch.uint8\""),
        ("\"EnsureTyped\", \"keys\": \"@key\"", "\"Lambdad\", \"keys\": \"label\", \"func\": \"$lambda x: x > 0\""),
        (
            "\"EnsureTyped\", \"keys\": \"@key\"",
            "\"CastToTyped\", \"keys\": [\"label\", \"image\"], \"dtype\": [\"$np.uint8\", \"$np.float32\"]"
        ),
        (
            "\"keys\": [\"@key\"], \"pixdim\": \"@pixdim\", \"mode\": [\"bilinear\"]",
            "\"keys\": [\"label\", \"@key\"], \"pixdim\": \"@pixdim\", \"mode\": [\"nearest\", \"bilinear\"]"
        ),
        (
            "\"keys\": \"pred\", \"argmax\": true",
            "\"keys\": [\"pred\", \"label\"], \"argmax\": [true, false], \"threshold\": [null, 0.5]"
        ),
        (
            "{\"_target_\": \"SaveImaged\"",
            "{\"_target_\": \"KeepLargestConnectedComponentd\", \"keys\": \"label\"}, {\"_target_\": \"SaveImaged\""
        ),
        (
            "{\"_target_\": \"SaveImaged\"",
            "{\"_target_\": \"DeleteItemsd\", \"keys\": \"logits\"}, {\"_target_\": \"SaveImaged\""
        ),
        ("\"output_ext\"", "\"scale\": null, \"output_dtype\": \"$np.uint8\", \"output_ext\""),
    ])
    func otherKeys(_ old: String, _ new: String) throws {
        let spleen = MONAIBundleTests.spleen
        #expect(spleen.contains(old))
        let pipeline = try MONAIBundleTests.read(spleen.changing(old, to: new))
        #expect(try pipeline == MONAIBundleTests.read(spleen))
    }

    /// Where nothing is called "image", what is loaded first is the network's.
    @Test func otherImage() throws {
        let text = MONAIBundleTests.spleen.changing("\"key\": \"image\"", to: "\"key\": \"ct\"")
            .replacing("\"source_key\": \"image\"", with: "\"source_key\": \"ct\"")
            .replacing("\"orig_keys\": \"image\"", with: "\"orig_keys\": \"ct\"")
        #expect(try MONAIBundleTests.read(text) == MONAIBundleTests.read(MONAIBundleTests.spleen))
    }

    /// Values without a decision are written as they are: MONAI would round them.
    @Test func roundedValues() throws {
        let text = MONAIBundleTests.spleen.changing(
            "{\"_target_\": \"AsDiscreted\", \"keys\": \"pred\", \"argmax\": true},", to: ""
        ).changing(
            "{\"_target_\": \"KeepLargestConnectedComponentd\", \"keys\": \"pred\", \"applied_labels\": [1]},", to: "")
        let fractions = text.changing("\"output_ext\"", to: "\"output_dtype\": \"$np.float16\", \"output_ext\"")
        #expect(try MONAIBundleTests.read(fractions).task == .reconstruction)
        let whole = text.changing("\"output_ext\"", to: "\"output_dtype\": \"$np.uint8\", \"output_ext\"")
        let error = #expect(throws: PipelineError.self) { try MONAIBundleTests.read(whole) }
        #expect(
            error?.description.contains("output_dtype: rounding to $np.uint8 in SaveImaged is not supported") == true)
    }

    /// What is changed, and the problem that names it.
    @Test(arguments: [
        (
            "\"EnsureTyped\", \"keys\": \"@key\"", "\"Lambdad\", \"keys\": \"$f('x')\"",
            "transforms[7].keys: Lambdad of '$f('x')' beside 'image' is not supported"
        ),
        (
            "\"EnsureTyped\", \"keys\": \"@key\"",
            "\"ConcatItemsd\", \"keys\": [\"a\", \"b\"], \"name\": \"image\"",
            "transforms[7].keys: ConcatItemsd of 'a' beside 'image' is not supported"
        ),
        (
            "\"keys\": \"@key\", \"source_key\": \"image\"",
            "\"keys\": [\"image\", \"label\"], \"source_key\": \"label\"",
            "a crop around another image (label) in CropForegroundd is not supported"
        ),
        (
            "\"KeepLargestConnectedComponentd\", \"keys\": \"pred\"",
            "\"KeepLargestConnectedComponentd\", \"keys\": \"seg\"",
            "transforms[3].keys: KeepLargestConnectedComponentd of 'seg' beside 'pred' is not supported"
        ),
        (
            "\"KeepLargestConnectedComponentd\", \"keys\": \"pred\"",
            "\"CopyItemsd\", \"names\": \"pred\", \"keys\": \"label\"",
            "transforms[3].keys: CopyItemsd of 'label' beside 'pred' is not supported"
        ),
        (
            "\"orig_keys\": \"image\"", "\"orig_keys\": \"label\"",
            "orig_keys: the way back of another image (label) in Invertd is not supported"
        ),
        ("\"output_ext\"", "\"scale\": 255, \"output_ext\"", "scale 255 in SaveImaged is not supported: remove it"),
    ])
    func refusals(_ old: String, _ new: String, _ problem: String) {
        let error = #expect(throws: PipelineError.self) {
            try MONAIBundleTests.read(MONAIBundleTests.spleen.changing(old, to: new))
        }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }
}
