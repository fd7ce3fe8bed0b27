using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Machines;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Reports;

namespace Crust.Tests;

public sealed class ImageStageTests
{
    private SampleDisk _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new SampleDisk(64 << 20, new Piece(0, 4 << 20, PieceKind.Noise));

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [Test, CancelAfter(60_000)]
    public async Task The_report_of_a_build_that_could_write_no_image_says_how_the_disk_was_installed(CancellationToken cancellation)
    {
        using var drafts = DraftFolder.Create(_disk.FileFor("images"));
        File.CreateSymbolicLink(Path.Combine(drafts.Path, "edge.vmdk"), "/dev/full");
        var spec = new BuildSpec { Formats = ["vmdk"] };
        var target = BuildTarget.Of(spec, SeedFiles.Read(spec.Seed), new SourceGlance(null, InstallerSample.Iso, "edge"), () => null);
        var journal = new BuildJournal(new EventList(), TimeProvider.System, new Redactor());
        var stage = new ImageStage(new ImageWriter(_disk.Services, journal));

        var error = (await Assert.ThrowsAsync<CrustException>(() => stage.WriteAsync(
            _disk.Installed, [], target, [ImageFormats.Named("vmdk")], drafts, new StageRunner(journal, TimeProvider.System), cancellation)))!;
        var story = (ReportSample.Built with { Install = null, Manifest = null }).Ended(journal, error, RunFiles.Draft(drafts.Path, _disk.FileFor("edge")));

        Assert.That(story.Failure!.What, Does.StartWith("The vmdk image couldn't be written: "));
        Assert.That(story.Install, Is.SameAs(_disk.Installed.Install));
    }
}
