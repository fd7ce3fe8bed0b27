using Crust.Host;
using Crust.Planning;
using Crust.Spec;
using Crust.Storage;
using Crust.Verification;

namespace Crust.Tests.Host;

public sealed class SpaceCheckTests
{
    private const long GiB = 1L << 30;

    private static readonly Folders Folders = new() { Images = "/images", Cache = "/cache", Runtime = "/run", Builder = "/builder" };

    // An installer of 1 GiB installs about 3 GiB, and half a GiB is spare.
    [TestCase("img", 3.5, 3, TestName = "An img has all of the data")]
    [TestCase("vmdk", 3.5, 0.75, TestName = "A compressed image has a quarter of the data")]
    [TestCase("vhd", 3.5, 3, TestName = "A vhd has all of the data")]
    [TestCase("vhdx", 3.5, 3, TestName = "A vhdx has all of the data")]
    [TestCase("kubevirt", 3.5, 1.5, TestName = "An image that wraps another takes room for both")]
    [TestCase("kubevirt,qcow2", 3.5, 1.5, TestName = "What is wrapped counts once")]
    [TestCase("iso,img.zst", 3.5, 1.5, TestName = "What an iso wraps counts once")]
    public void Needs_are_estimated_by_the_installer(string formats, double cache, double images) =>
        Assert.That(SpaceEstimate.Of(HostSample.Forecast(formats.Split(',')), new BuildSpec(), isShared: true, clones: false), Is.EqualTo(new SpaceEstimate((long)(cache * GiB), (long)(images * GiB))));

    [Test]
    public void What_is_shared_on_one_file_system_is_copied_to_another()
    {
        Assert.That(Images("img", isShared: false), Is.EqualTo(3 * GiB));
        Assert.That(Images("img", isShared: true, clones: true), Is.Zero);
        Assert.That(Images("vhd", isShared: true, clones: true), Is.Zero);
        Assert.That(Images("vhd", isShared: false, clones: true), Is.EqualTo(3 * GiB));
    }

    [Test]
    public void An_uncompressed_qcow2_has_all_of_the_data() => Assert.That(
        SpaceEstimate.Of(HostSample.Forecast("qcow2"), new BuildSpec { Qcow2 = new() { Compression = Qcow2Compression.None } }, true, false)!.Images, Is.EqualTo(3 * GiB));

    [Test]
    public void Where_the_disk_is_cached_its_own_size_counts_and_it_takes_no_room() => Assert.That(
        SpaceEstimate.Of(HostSample.Forecast("vmdk") with { CachedDisk = 8 * GiB }, new BuildSpec(), true, false), Is.EqualTo(new SpaceEstimate(0, 2 * GiB)));

    [Test]
    public void Of_a_raw_base_that_is_mostly_holes_its_data_counts_and_not_its_size() => Assert.That(
        SpaceEstimate.Of(HostSample.Forecast("img") with { SourceSize = 20 * GiB, SourceData = GiB }, new BuildSpec(), true, false), Is.EqualTo(new SpaceEstimate(GiB + (512 << 20), GiB)));

    [TestCase(3.75, "gce")]
    [TestCase(7.5, "gce", "img.zst")]
    [TestCase(7.5, "gce", "qcow2", "img")]
    public void Booting_and_comparing_what_has_to_be_unpacked_takes_room_for_that(double gigabytes, params string[] formats)
    {
        var forecast = HostSample.Forecast(formats);
        long ImagesOf(ExpectedProof? proof) => SpaceEstimate.Of(forecast with { Proof = proof }, new BuildSpec(), true, false)!.Images;

        Assert.That(ImagesOf(new ExpectedProof(new MachineSpec(), new VerifySpec())), Is.EqualTo((long)(gigabytes * GiB)));
    }

    [Test]
    public void Building_the_reference_installer_takes_room_too() => Assert.That(
        SpaceEstimate.Of(HostSample.Forecast("img") with { BuildsReference = true, Appliance = Need.Required }, new BuildSpec(), true, false)!.Cache, Is.EqualTo((long)(3.5 * GiB) + (600 << 20)));

    [Test]
    public void A_seed_takes_room_while_the_installer_runs_and_only_then()
    {
        var forecast = HostSample.Forecast("img") with { SeedSize = GiB };

        Assert.That(SpaceEstimate.Of(forecast, new BuildSpec(), true, false)!.Cache, Is.EqualTo((long)(4.5 * GiB)));
        Assert.That(SpaceEstimate.Of(forecast with { CachedDisk = 8 * GiB }, new BuildSpec(), true, false)!.Cache, Is.Zero);
    }

    [Test]
    public void Images_that_are_up_to_date_take_none() =>
        Assert.That(Find(HostSample.Forecast(), 0, 0).Single().What, Is.EqualTo("none needed: the images are up to date"));

    [Test]
    public void Too_little_space_in_the_cache_is_told_with_what_is_needed_and_what_is_free() =>
        Check(Find(HostSample.Forecast("vmdk"), 1, 100).First(), Gravity.Problem, "There is too little space for the installed disk: about 3.5 GiB are needed, 1.0 GiB are free",
            "/cache", "free 2.5 GiB, for instance with 'crust clean', or set CRUST_CACHE to another file system");

    [Test]
    public void Too_little_space_for_the_images_is_told_although_the_cache_has_enough() =>
        Check(Find(HostSample.Forecast("img", "vmdk"), 100, 1).Last(), Gravity.Problem, "There is too little space for the images: about 3.8 GiB are needed, 1.0 GiB are free",
            "/images", "free 2.8 GiB, or choose another folder with --output");

    [Test]
    public void On_one_file_system_both_needs_add_up()
    {
        var finding = Find(HostSample.Forecast("vmdk"), 4, 4, shared: true).Single();

        Check(finding, Gravity.Problem, "There is too little space for the installed disk and the images: about 4.3 GiB are needed, 4.0 GiB are free",
            "/images", "free 256.0 MiB, for instance with 'crust clean', or choose another file system with CRUST_CACHE or --output");
        Assert.That(Find(HostSample.Forecast("vmdk"), 5, 5, shared: true).Single().Gravity, Is.EqualTo(Gravity.Fine));
    }

    [Test]
    public void Enough_space_is_told_with_what_it_is_for() => Assert.That(Find(HostSample.Forecast("vmdk", "qcow2"), 100, 10).Select(finding => finding.What), Is.EqualTo(new[]
    {
        "about 3.5 GiB needed for the installed disk; 100.0 GiB free",
        "about 1.5 GiB needed for vmdk, qcow2; 10.0 GiB free",
    }));

    [Test]
    public void A_cached_disk_needs_nothing_in_the_cache_and_the_images_are_tried_all_the_same()
    {
        var findings = Find(HostSample.Forecast("vhd") with { CachedDisk = 3 * GiB }, 0, 1).ToList();

        Assert.That(findings[0].What, Is.EqualTo("none needed: the installed disk is cached"));
        Assert.That((findings[1].Gravity, findings[1].IsEstimate), Is.EqualTo((Gravity.Problem, true)));
    }

    [Test]
    public void While_nobody_knows_if_the_disk_is_cached_a_shortage_is_an_estimate() =>
        Assert.That(Find(HostSample.Forecast("img") with { IsCacheKnown = false }, 0, 0).All(finding => finding.IsEstimate), Is.True);

    [Test]
    public void Of_an_ISO_that_is_not_downloaded_nothing_is_known() => Assert.That(Find(HostSample.Forecast("img") with { SourceSize = null }, 1, 1).Single().What,
        Is.EqualTo("What is needed isn't known before the ISO is downloaded: about four times its size and 512 MiB; 1.0 GiB are free"));

    [Test]
    public void A_folder_that_cannot_be_looked_at_is_no_problem() => Assert.That(
        new SpaceCheck(Folders, _ => throw new IOException("gone")).Find(HostSample.Forecast("img"), new BuildSpec()).Single().Gravity, Is.EqualTo(Gravity.Note));

    [Test]
    public void A_folder_that_is_not_there_has_the_space_of_the_one_above()
    {
        var folder = TestContext.CurrentContext.WorkDirectory;

        Assert.That(FolderSpace.Of(Path.Combine(folder, "not", "there")).Device, Is.EqualTo(FolderSpace.Of(folder).Device));
        Assert.That(FolderSpace.Of("/proc").Device, Is.Not.EqualTo(FolderSpace.Of(folder).Device));
    }

    [Test]
    public void The_free_space_is_what_is_free_for_a_user()
    {
        var drive = new DriveInfo("/dev/shm");

        // Other programs write meanwhile.
        Assert.That(FolderSpace.Of("/dev/shm").Free, Is.EqualTo(drive.AvailableFreeSpace).Within(1 << 28));
        Assert.That(FolderSpace.Of("/proc").Free, Is.Zero);
    }

    private static long Images(string format, bool isShared, bool clones = false) => SpaceEstimate.Of(HostSample.Forecast(format), new BuildSpec(), isShared, clones)!.Images;

    private static IEnumerable<Finding> Find(BuildForecast forecast, double cacheGiB, double imagesGiB, bool shared = false) =>
        new SpaceCheck(Folders, folder => folder == Folders.Cache || shared ? new(1, (long)(cacheGiB * GiB), false) : new(2, (long)(imagesGiB * GiB), false)).Find(forecast, new BuildSpec());

    private static void Check(Finding finding, Gravity gravity, string what, string where, string remedy) =>
        Assert.That((finding.Gravity, finding.What, finding.Where, finding.Remedy), Is.EqualTo((gravity, what, where, remedy)));
}
