using System.Net.Sockets;
using Crust.Attestation;
using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Storage;

[CancelAfter(60_000)]
public sealed class RegularFileTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-special-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Special_files_are_refused_at_once_wherever_an_image_is_named()
    {
        var fifo = Path.Combine(_folder, "fifo.qcow2");
        await Tools.RunAsync(ToolCommand.Of("mkfifo", fifo), CancellationToken.None);
        var link = Path.Combine(_folder, "link.qcow2");
        File.CreateSymbolicLink(link, fifo);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "socket.img")));
        Directory.CreateDirectory(Path.Combine(_folder, "folder.vmdk"));

        foreach (var (path, what) in new[] { (fifo, "a FIFO"), (link, "a FIFO"), (Path.Combine(_folder, "socket.img"), "a socket"), (Path.Combine(_folder, "folder.vmdk"), "a folder"), ("/dev/zero", "a device") })
        {
            var errors = new List<CrustException>
            {
                Assert.Throws<CrustException>(() => RegularFile.Open(path, "image", "name another"))!,
                Assert.Throws<CrustException>(() => ForeignImage.KindOf(path))!,
                Assert.Throws<CrustException>(() => BootVerifier.FormatOf(path))!,
                (await Assert.ThrowsAsync<CrustException>(() => new ImageCheck(Tools, new Folders { Images = _folder, Cache = _folder, Runtime = _folder, Builder = _folder }).CheckAsync(path, "keys", CancellationToken.None)))!,
            };

            foreach (var error in errors)
            {
                Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, path)));
                Assert.That(error.What, Does.StartWith($"The image is {what}"));
            }
        }
    }

    [TestCase("")]
    [TestCase("missing")]
    [TestCase("file/below")]
    public void A_path_to_nothing_is_bad_input(string path)
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");

        var error = Assert.Throws<CrustException>(() => RegularFile.Require(path.Length == 0 ? "" : Path.Combine(_folder, path), "image", "x"))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The image doesn't exist")));
    }

    [Test]
    public void A_regular_file_is_opened_also_by_a_link()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "content");
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), file);

        using var handle = RegularFile.Open(Path.Combine(_folder, "link"), "image", "x");

        Assert.That(RandomAccess.GetLength(handle), Is.EqualTo(7));
        Assert.That(RegularFile.OtherKindOf(file), Is.Null);
    }
}
