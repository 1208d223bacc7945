import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Which images belong to one study.
struct StudyListTests {
    static let channels = ["T1", "FLAIR"]

    @Test func channelsOfACase() throws {
        let folder = TemporaryFolder()
        for name in ["s1/case_0000.nii", "s1/case_0001.nii", "s2/case_0000.nii", "s2/case_0001.nii"] {
            folder.write([1], to: name)
        }
        let (one, two) = (folder.path + "/s1", folder.path + "/s2")
        let studies = try Study.list([one], channels: Self.channels)
        #expect(studies == [Study(name: "case", images: [one + "/case_0000.nii", one + "/case_0001.nii"])])
        let named = try Study.list(["FLAIR=b.nii", "T1=a.nii.gz"], channels: Self.channels)
        #expect(named == [Study(name: "a", images: ["a.nii.gz", "b.nii"])])
        // Two patients of one name never become one study.
        for words in [[one, two], [one + "/case_0000.nii", two + "/case_0001.nii"]] {
            #expect(throws: PipelineFailure.self) { try Study.list(words, channels: Self.channels) }
        }
        // A number with a sign is no channel.
        #expect(try Study.list(["bad_-001.nii"], channels: Self.channels).map(\.name) == ["bad_-001"])
    }
}
