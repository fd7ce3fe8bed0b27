using Crust.Formats;
using Crust.Machines;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Reports;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Verification;

/// <summary>Which images are booted, and which are compared: QEMU plays a script, the images and qemu-img are real.</summary>
[CancelAfter(120_000)]
public sealed class ImageProverTests
{
    private const string Content = "aaaa";

    private static readonly string[] ComesUp = ["connect\ngreet\nexpect qmp_capabilities\nreply qmp_capabilities {}\nexpect cont\nreply cont {}", "serial edge login:", "expect quit", "reply quit {}", "exit 0"];

    private EventList _events = null!;
    private FakeTools _fakes = null!;
    private SampleDisk _disk = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _events = new EventList();
        _fakes = new FakeTools();
        _disk = new SampleDisk(4 << 20, new Piece(0, 4096), new Piece(1 << 20, 70_000, PieceKind.Noise));
    }

    [TearDown]
    public void TearDown()
    {
        _disk.Dispose();
        _fakes.Dispose();
    }

    [Test]
    public async Task One_image_of_a_disk_is_booted_and_the_others_are_compared_with_it()
    {
        var argv = _fakes.FileFor("argv");
        _fakes.Add("qemu-system-x86_64", [$"arguments {argv}", .. ComesUp]);

        var proofs = (await ProveAsync([Draft("qcow2"), Draft("vmdk"), Draft("vhd")])).Fresh;

        Assert.That(proofs.Select(image => (image.Draft.Format.Name, image.Proof!.Expected, image.Proof.SameAs, image.Proof.UnprovenController)), Is.EqualTo(new[]
        {
            ("qcow2", "edge login:", null, null), ("vmdk", "edge login:", "edge.qcow2", "LSI Logic"), ("vhd", "edge login:", "edge.qcow2", (string?)null),
        }));
        Assert.That(await File.ReadAllTextAsync(argv, Cancellation), Does.Contain("edge.qcow2").And.Contain("virtio-blk-pci").And.Not.Contain("vmdk"));
        Assert.That(_events.Events.OfType<BuildEvent.Noted>().Select(note => note.Message), Has.One.StartsWith("edge.vmdk asks for a disk controller by LSI Logic, which QEMU doesn't have: it is proven on virtio"));
    }

    [Test]
    public async Task A_format_that_promises_another_disk_bus_is_proven_by_a_boot_on_that_one()
    {
        var argv = _fakes.FileFor("argv");
        _fakes.Add("qemu-system-x86_64", [$"arguments {argv}", .. ComesUp]);

        var proofs = (await ProveAsync([Draft("gce"), Draft("img")])).Fresh;

        Assert.That(proofs.Select(image => (image.Draft.Format.Name, image.Proof!.DiskBus, image.Proof.SameAs)), Is.EqualTo(new[] { ("gce", "scsi", "edge.img"), ("img", "virtio", (string?)null) }));
    }

    [Test]
    public async Task What_is_proven_already_is_not_booted_again_and_stands_for_others_of_its_disk()
    {
        _fakes.Add("qemu-system-x86_64", "exit 3");
        var proof = new ManifestProof("bios", "edge login:", 50) { DiskBus = "virtio" };
        File.Copy(_disk.Path, Path.Combine(_disk.Folder, "edge.img"));

        var ofShelf = (await ProveAsync([Draft("qcow2")], [ManifestSample.Img with { DiskContent = Content, Verified = proof }])).Fresh.Single();
        var ofRegistry = (await ProveAsync([Draft("qcow2"), Draft("vhdx") with { Reused = new ReusedImage("registry.example/edge", proof with { SameAs = "edge.img" }) }])).Fresh;

        Assert.That(ofShelf.Proof, Is.EqualTo(proof with { SameAs = "edge.img" }));
        Assert.That(ofRegistry.Select(image => image.Proof), Is.EqualTo(new[] { proof with { SameAs = "edge.img" }, null }), "what came with a proof keeps it");
        Assert.That(await FailAsync([Draft("qcow2")], [ManifestSample.Img with { DiskContent = "bbbb", Verified = proof }]), Does.Contain("QEMU ended with exit code 3"), "that of another disk proves nothing");
    }

    [Test]
    public async Task An_image_that_holds_something_else_is_found()
    {
        _fakes.Add("qemu-system-x86_64", ComesUp);
        var other = Draft("vmdk");
        using (var disk = File.OpenHandle(_disk.Path, FileMode.Open, FileAccess.Write))
            RandomAccess.Write(disk, "x"u8, 100);

        var error = await FailAsync([Draft("img"), other], []);

        Assert.That(error, Is.EqualTo("The image edge.vmdk doesn't hold the same disk as edge.img, which was made of the same"));
    }

    [Test]
    public async Task Images_of_a_disk_that_shows_nothing_are_unproven_with_one_warning()
    {
        _fakes.Add("qemu-system-x86_64", [ComesUp[0], "serial Loading Linux ...", .. ComesUp[2..]]);
        OutputFile.Write(_fakes.Folder, Path.Combine(_disk.Folder, "edge.qcow2.serial.log"), "of an earlier boot");

        var proofs = (await ProveAsync([Draft("img"), Draft("qcow2")], verify: new VerifySpec { Deadline = TimeSpan.FromSeconds(2) })).Fresh;

        Assert.That(proofs.Select(image => (image.Proof, image.Unproven!.SameAs)), Is.EqualTo(new[] { ((ManifestProof?)null, (string?)null), (null, "edge.img") }));
        Assert.That(_events.Events.OfType<BuildEvent.Warned>().Single().Message, Is.EqualTo("the image edge.img didn't show a login prompt, an SSH banner or cloud-init's last message within 2s: nobody knows whether it boots; "
            + $"serial log: {_disk.Folder}/edge.img.serial.log; its last lines: Loading Linux ..."));
        Assert.That(Directory.EnumerateFiles(_disk.Folder, "*.log").Select(Path.GetFileName), Is.EqualTo(new[] { "edge.img.serial.log" }), "that of the last boot, and none of an earlier one");
        Assert.That(new Proofs(proofs, []).Describe(), Is.EqualTo("unproven: img, qcow2"));
    }

    [Test]
    public void What_was_booted_and_what_was_compared_is_told_in_a_few_words()
    {
        var proof = new ManifestProof("bios", "edge login:", 52.4);
        ProvenImage Image(string format, ManifestProof proof) => new(new DraftImage(ImageFormats.Named(format), format, 1, null, ""), proof);

        Assert.That(new Proofs([Image("img", proof), Image("qcow2", proof with { SameAs = "edge.img" }), Image("vmdk", proof with { SameAs = "edge.img" })], []).Describe(),
            Is.EqualTo("img is up after 52 s; qcow2, vmdk hold what edge.img holds, which was booted"));
    }

    [TestCase("img qcow2 vmdk", "img on Virtio", "qcow2 vmdk")]
    [TestCase("gce img.zst", "gce on Scsi, gce on Virtio for img.zst", "img.zst")]
    [TestCase("img.zst qcow2 gce", "qcow2 on Virtio, qcow2 on Scsi for gce", "img.zst gce")]
    [TestCase("iso img.zst", "img.zst on Virtio", "iso")]
    [TestCase("iso", "iso on Virtio", "")]
    public void The_image_that_is_cheapest_to_read_is_the_one_that_is_booted(string formats, string boots, string compared)
    {
        var plan = ProofPlan.Of(formats.Split(' ').Select(ImageFormats.Named), new ExpectedProof(new MachineSpec(), new VerifySpec()));

        Assert.That(string.Join(", ", plan.Boots.Select(boot => $"{boot.Format.Name} on {boot.Bus}{(boot.For is null ? "" : $" for {boot.For.Name}")}")).Split(", ").Order(), Is.EqualTo(boots.Split(", ").Order()));
        Assert.That(string.Join(' ', plan.Compared.Select(format => format.Name)), Is.EqualTo(compared));
    }

    // As it is now: a disk that is written to afterwards differs.
    private DraftImage Draft(string format)
    {
        var kind = ImageFormats.Named(format);
        var path = Path.Combine(_fakes.FileFor("drafts"), "edge" + kind.Extension);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        kind.WriteAsync(_disk.Request(path), Cancellation).GetAwaiter().GetResult();
        return new DraftImage(kind, path, new FileInfo(path).Length, null, "");
    }

    private async Task<string> FailAsync(IReadOnlyCollection<DraftImage> drafts, IEnumerable<ManifestImage> proven) => (await Assert.CatchAsync<CrustException>(() => ProveAsync(drafts, proven)))!.What;

    private async Task<Proofs> ProveAsync(IReadOnlyCollection<DraftImage> drafts, IEnumerable<ManifestImage>? proven = null, VerifySpec? verify = null)
    {
        var launcher = new MachineLauncher(_fakes.ToolBox, FirmwareFinder.OfHost, _fakes.Folder, TimeProvider.System, Logger.None) { Hidden = new Redactor() };
        var verifier = new BootVerifier(launcher, _fakes.ToolBox, _events, TimeProvider.System, Logger.None);
        var folders = new Folders { Images = _disk.Folder, Cache = _fakes.FileFor("cache"), Runtime = _fakes.Folder, Builder = Folders.BuilderBesideProgram };
        using var scratch = DraftFolder.Create(_fakes.FileFor("scratch"));
        return await new ImageProver(verifier, _fakes.ToolBox, folders, _events).ProveAsync(drafts, Content, [], proven ?? [],
            new ExpectedProof(new MachineSpec { Network = MachineNetwork.None }, verify ?? new VerifySpec { Deadline = TimeSpan.FromSeconds(60) }), Accelerator.Tcg, scratch, Cancellation);
    }
}
