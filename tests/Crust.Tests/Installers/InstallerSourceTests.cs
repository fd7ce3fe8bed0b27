using System.Security.Cryptography;
using Crust.Downloads;
using Crust.Installers;
using Crust.Isos;
using Crust.Spec;
using Serilog.Core;

namespace Crust.Tests.Installers;

[CancelAfter(60_000)]
public sealed class InstallerSourceTests
{
    private static readonly byte[] Iso = IsoBytes.With("EDGE", 0x00, 0xef);
    private static readonly string Sum = Convert.ToHexStringLower(SHA256.HashData(Iso));
    private static readonly string OtherSum = new('0', 64);

    private string _folder = "";
    private LoopbackServer _server = null!;
    private EventList _events = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;
        _server = new LoopbackServer();
        _events = new EventList();
    }

    [TearDown]
    public void TearDown()
    {
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private InstallerSource Source => new(Path.Combine(_folder, "cache"),
        new HttpSource(HttpSource.NewClient(), TimeProvider.System, Logger.None) { FirstPause = TimeSpan.Zero }, _events, TimeProvider.System, Logger.None);

    private Task<InstallerIso> GetAsync(string iso, string? sha256, bool allowUnverified = false) =>
        Source.GetAsync(new InstallerSpec { Iso = iso, Sha256 = sha256, AllowUnverified = allowUnverified }, Cancellation);

    private Task<CrustException?> FailureAsync(string iso, string? sha256) => Assert.ThrowsAsync<CrustException>(() => GetAsync(iso, sha256));

    private string Store(string name, byte[] content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    [Test]
    public async Task An_ISO_at_a_path_is_described_where_it_is()
    {
        var path = Store("Edge Installer (v1.2).ISO", Iso);

        Assert.That(await GetAsync(path, null), Is.EqualTo(new InstallerIso
        {
            Path = path,
            Sha256 = Sum,
            Size = Iso.Length,
            VolumeId = "EDGE",
            BootsBios = true,
            BootsUefi = true,
            BaseName = "Edge-Installer--v1.2",
            IsReference = false,
            Source = path,
        }));
    }

    [Test]
    public async Task An_ISO_at_a_URL_is_downloaded_into_the_cache()
    {
        _server.Answer = _ => new WebAnswer("200 OK", Iso);

        var installer = await GetAsync(_server.Url("images/edge.iso?token=secret"), Sum.ToUpperInvariant());

        Assert.That(await File.ReadAllBytesAsync(installer.Path, Cancellation), Is.EqualTo(Iso));
        Assert.That(installer.Path, Does.StartWith(Path.Combine(_folder, "cache", "downloads")).And.EndsWith("/edge.iso"));
        Assert.That((installer.BaseName, installer.Sha256), Is.EqualTo(("edge", Sum)));
        Assert.That(installer.Source, Is.EqualTo(_server.Url("images/edge.iso?…")), "a query may hold a signature");
    }

    [Test]
    public async Task A_checksum_is_looked_up_in_a_SHA256SUMS_file_at_a_path_or_URL()
    {
        var sums = $"{OtherSum}  other.iso\n{Sum}  edge.iso\n";
        _server.Answer = request => request.Path.EndsWith("SHA256SUMS") ? WebAnswer.Text(sums) : new WebAnswer("200 OK", Iso);

        Assert.That((await GetAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"))).Sha256, Is.EqualTo(Sum));
        Assert.That((await GetAsync(_server.Url("edge.iso"), Store("sums", System.Text.Encoding.UTF8.GetBytes(sums)))).Sha256, Is.EqualTo(Sum));
        Assert.That((await GetAsync(Store("edge.iso", Iso), _server.Url("SHA256SUMS"))).Sha256, Is.EqualTo(Sum));
    }

    [Test]
    public async Task A_URL_without_a_checksum_is_refused_before_anything_is_asked_of_its_server()
    {
        var error = await FailureAsync(_server.Url("edge.iso"), null);

        Assert.That((error!.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, _server.Url("edge.iso"))));
        Assert.That(error.What, Does.StartWith("The ISO's URL comes without a checksum"));
        Assert.That(error.Remedy, Does.Contain("installer.sha256").And.Contain("ISO_SHA256").And.Contain("installer.allowUnverified"));
        Assert.That(_server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_URL_without_a_checksum_is_taken_with_a_warning_when_that_is_allowed()
    {
        _server.Answer = _ => new WebAnswer("200 OK", Iso);

        await GetAsync(_server.Url("edge.iso"), null, allowUnverified: true);

        Assert.That(_events.Events.OfType<BuildEvent.Warned>().Single().Message, Does.Contain("without a checksum"));
    }

    [Test]
    public async Task A_file_whose_checksum_is_another_is_bad_input()
    {
        var path = Store("edge.iso", Iso);

        var error = await FailureAsync(path, OtherSum);

        Assert.That((error!.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, path)));
        Assert.That(error.What, Does.Contain($"expected SHA-256 {OtherSum}").And.Contain($"it has {Sum}"));
        Assert.That(error.Remedy, Does.Contain("ISO_SHA256"));
    }

    [Test]
    public async Task A_list_of_checksums_without_the_ISO_is_bad_input()
    {
        _server.Answer = _ => WebAnswer.Text($"{OtherSum}  other.iso\n");

        var error = await FailureAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"));

        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo(
            (FailureKind.BadInput, "The list of checksums has no SHA-256 of edge.iso", $"installer.sha256: {_server.Url("SHA256SUMS")}")));
        Assert.That(error.Remedy, Does.Contain("64 hex digits"));
    }

    [Test]
    public async Task A_list_of_checksums_that_is_not_there_is_an_error()
    {
        var error = await FailureAsync(_server.Url("edge.iso"), _server.Url("SHA256SUMS"));

        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo((FailureKind.InputOutput, "The server answered 404 (Not Found)", _server.Url("SHA256SUMS"))));
    }

    [Test]
    public async Task A_list_of_checksums_that_cannot_be_reached_is_taken_from_its_copy_with_a_warning()
    {
        _server.Answer = _ => WebAnswer.Text($"{Sum}  edge.iso\n");
        var iso = Store("edge.iso", Iso);
        await GetAsync(iso, _server.Url("SHA256SUMS"));
        _server.Answer = _ => new WebAnswer("503 Service Unavailable", []);

        Assert.That((await GetAsync(iso, _server.Url("SHA256SUMS"))).Sha256, Is.EqualTo(Sum));
        Assert.That(_events.Events.OfType<BuildEvent.Warned>().Single().Message, Does.Contain("can't be reached; its copy of"));
    }

    [Test]
    public async Task A_checksum_of_the_wrong_length_that_is_no_file_either_is_bad_input()
    {
        var error = await FailureAsync(_server.Url("edge.iso"), Sum[1..]);

        Assert.That((error!.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, $"installer.sha256: {Sum[1..]}")));
        Assert.That(error.What, Does.StartWith("This is no SHA-256, and no file of them"));
        Assert.That(error.Remedy, Does.Contain("64 hex digits"));
    }

    [Test]
    public async Task A_URL_that_is_not_http_is_bad_input()
    {
        var error = await FailureAsync("ftp://user:password@example.org/edge.iso", Sum);

        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, "An ISO can't be fetched by ftp", "ftp://example.org/edge.iso")));
    }

    [Test]
    public async Task A_download_that_is_no_ISO_is_bad_input_at_its_URL()
    {
        _server.Answer = _ => WebAnswer.Text("<html>please log in</html>");

        var error = await Assert.ThrowsAsync<CrustException>(() => GetAsync(_server.Url("edge.iso"), null, allowUnverified: true));

        Assert.That((error!.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, _server.Url("edge.iso"))));
        Assert.That(error.What, Does.StartWith("This is no ISO 9660 image"));
    }

    [Test]
    public async Task A_missing_ISO_is_bad_input()
    {
        var error = await FailureAsync("iso/none.iso", null);

        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, "There is no such ISO", "iso/none.iso")));
    }

    [TestCase("edge.iso", "edge")]
    [TestCase("edge-1.2_x86.ISO", "edge-1.2_x86")]
    [TestCase("edge", "edge")]
    [TestCase("..iso", "installer")]
    [TestCase("", "installer")]
    [TestCase("/", "installer")]
    [TestCase("ä ö.iso", "installer-abc33751")]
    [TestCase("安装.iso", "installer-e8f88f51")]
    [TestCase("grün.iso", "gr-n-fe263064")]
    [TestCase("my iso (1).iso", "my-iso--1")]
    [TestCase("../../etc/passwd", "etc-passwd")]
    public void Images_are_called_after_the_ISO(string fileName, string baseName)
    {
        Assert.That(InstallerSource.BaseNameOf(fileName), Is.EqualTo(baseName));
    }
}
