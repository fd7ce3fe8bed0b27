using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Events;
using Crust.Formats;
using Crust.Registries;
using Crust.Registries.Sharing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Formats;
using Crust.Tests.Installers;
using Serilog.Core;

namespace Crust.Tests.Registries.Sharing;

/// <summary>Images that one machine has published to Debian's registry, and another takes from there in place of writing them.</summary>
[CancelAfter(300_000)]
public sealed class FinishedImageTests : RegistryFixture
{
    private PublishSample _sample = null!;
    private PublishedImages _published = null!;

    private readonly List<IDisposable> _used = [];
    private EventList _events = null!;
    private SharedCache _cache = null!;
    private DraftFolder _drafts = null!;

    private IEnumerable<string> Warnings => _events.Events.OfType<BuildEvent.Warned>().Select(warned => warned.Message);

    [OneTimeSetUp]
    public async Task PublishAsync()
    {
        _sample = await PublishSample.MakeAsync(Front.Host, Arch.Amd64, [.. ImageFormats.Names.Where(name => name is not "iso")]);
        _published = await _sample.PublishAsync();
    }

    [OneTimeTearDown]
    public void DisposeSample() => _sample.Dispose();

    [SetUp]
    public void SetUp() => _events = new EventList();

    [TearDown]
    public void TearDown()
    {
        _used.ForEach(used => used.Dispose());
        _used.Clear();
    }

    [Test]
    public async Task Each_format_that_was_published_comes_back_as_it_was_with_its_map_and_its_proof()
    {
        var formats = _sample.Spec.Formats.Except(["img", "vhd"]).ToList();
        var order = Order("edge", _sample.Spec.Formats);

        var found = await FindAsync(order);
        var pulled = (await FinishedImages.PullAsync(found, withSbom: true, _drafts, Stages, Cancellation))!;

        Assert.That(pulled.Images.Select(image => image.Format.Name), Is.EqualTo(formats), "those with holes are made from the disk");
        foreach (var image in pulled.Images)
        {
            var its = _published.Images.Single(other => other.Image.Format == image.Format.Name);
            await SampleImages.RunAsync("cmp", image.Path, _sample.Shelf.ImagePath(its.Image));
            Assert.That((image.Size, image.Sha256, image.Recipe, image.Library), Is.EqualTo((its.Image.Size, its.Image.Sha256, its.Image.Recipe, its.Image.Library)));
            Assert.That((image.Reused!.From, image.Reused.Verified), Is.EqualTo(($"{Front.Host}/edge/images@{its.Digest}", its.Image.Verified)));
            if (its.Image.BlockMap is { } map)
            {
                await SampleImages.RunAsync("cmp", image.BlockMap!, _sample.Shelf.ImagePath(map.File));
            }
        }

        Assert.That(Warnings, Is.Empty);
        Assert.That(FinishedImage.DiskOf(found, [.. found.Select(image => image.Format)], order.Build, "")!.Content, Is.EqualTo(new string('e', 64)));
        Assert.That(FinishedImage.DiskOf(found, [.. order.Wanted], order.Build, ""), Is.Null, "img is still to be made");
    }

    [Test]
    public async Task What_was_published_elsewhere_is_found_where_the_spec_publishes()
    {
        var found = await FindAsync(Order("edge", ["vmdk"], cache: "other/cache", publish: "edge/images"));
        var nowhere = await FindAsync(Order("edge", ["vmdk"], cache: "other/cache", publish: null));

        Assert.That(found.Select(image => image.From.Repository), Is.EqualTo(new[] { $"{Front.Host}/edge/images" }));
        Assert.That(nowhere, Is.Empty);
    }

    [Test]
    public async Task An_image_of_another_name_is_not_taken_since_names_are_in_some()
    {
        Assert.That(await FindAsync(Order("other", ["vmdk"])), Is.Empty);
        Assert.That(Warnings, Is.Empty);
    }

    [Test]
    public async Task An_image_under_the_tag_of_another_build_is_refused()
    {
        var order = Order("edge", ["vmdk"], key: new string('c', 64));
        var tag = PublishedKey.TagOf(order.Build.Key, "vmdk", RecipeOf("vmdk"));
        await SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false",
            $"docker://{Front.Host}/edge/images:1.0-vmdk-amd64", $"docker://{Front.Host}/edge/images:{tag}");

        Assert.That(await FindAsync(order), Is.Empty);

        Assert.That(Warnings.Single(), Does.Contain($"/edge/images:{tag} is refused: the manifest that is attached to sha256:").And.Contain("lists no vmdk of this build"));
    }

    [Test]
    public async Task A_tag_that_moves_between_looking_up_and_pulling_gives_the_image_that_was_looked_up()
    {
        var order = Order("edge", ["qcow2"], cache: "moving/cache", publish: null);
        var tag = PublishedKey.TagOf(order.Build.Key, "qcow2", RecipeOf("qcow2"));
        await CopyAsync("edge/images:1.0-qcow2-amd64", $"moving/cache:{tag}");
        await CopyAsync($"edge/images:{ListOf("qcow2")}", $"moving/cache:{ListOf("qcow2")}", all: true);
        var found = await FindAsync(order);
        await CopyAsync("edge/images:1.0-vmdk-amd64", $"moving/cache:{tag}");

        var pulled = (await FinishedImages.PullAsync(found, withSbom: false, _drafts, Stages, Cancellation))!;

        await SampleImages.RunAsync("cmp", pulled.Images.Single().Path, _sample.Shelf.ImagePath("edge.qcow2"));
    }

    [TestCase("vmdk")]
    [TestCase("kubevirt")]
    public async Task An_image_whose_bytes_are_not_what_their_digest_says_is_refused(string format)
    {
        var found = await FindAsync(Order("edge", [format, "qcow2"]));
        var size = _published.Images.Single(image => image.Image.Format == format).Image.Size;
        Front.Do = (method, path) => method == "GET" && path.Contains("/blobs/")
            ? new Fault { Change = bytes => bytes.Length > size / 2 && bytes.Length <= size && !IsOf("qcow2", path) ? [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] : bytes }
            : null;

        var pulled = (await FinishedImages.PullAsync(found, withSbom: true, _drafts, Stages, Cancellation))!;

        Assert.That(pulled.Images.Select(image => image.Format.Name), Is.EqualTo(new[] { "qcow2" }));
        Assert.That(Warnings.Single(), Does.Contain("is refused: ").And.Contain("other bytes than their digest says"));
        Assert.That(Directory.EnumerateFiles(_drafts.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Where(file => file![0] != '.'), Is.EqualTo(new[] { "edge.qcow2" }));
        Front.Do = (_, _) => null;
        Assert.That((await FinishedImages.PullAsync(found, withSbom: true, _drafts, Stages, Cancellation))!.Images, Has.Length.EqualTo(2), "what is there already does no harm");
    }

    [Test]
    public async Task An_image_that_names_a_file_of_this_host_is_refused_though_its_digests_are_right()
    {
        using var sample = await PublishSample.MakeAsync(Front.Host, Arch.Amd64, NamingAFile, ["qcow2"]);
        sample.Spec = sample.With(publish => publish with { Repository = $"{Front.Host}/evil/images" });
        await sample.PublishAsync();
        var found = await FindAsync(Order("edge", ["qcow2"], cache: "evil/images"));
        Assert.That(found, Has.Length.EqualTo(1));

        var pulled = (await FinishedImages.PullAsync(found, withSbom: false, _drafts, Stages, Cancellation))!;

        Assert.That(pulled.Images, Is.Empty);
        Assert.That(Warnings.Single(), Does.Contain("is refused: The image isn't complete in itself: it needs the backing file /etc/hostname"));
        Assert.That(Directory.EnumerateFiles(_drafts.Path, "*.qcow2", SearchOption.AllDirectories), Is.Empty);
    }

    private static DraftImage NamingAFile(DraftImage image)
    {
        var bytes = File.ReadAllBytes(image.Path);
        var name = "/etc/hostname"u8;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), 1024);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), name.Length);
        name.CopyTo(bytes.AsSpan(1024));
        File.WriteAllBytes(image.Path, bytes);
        return image with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)) };
    }

    [TestCase(401, "wants a login")]
    [TestCase(403, "doesn't allow this to your login")]
    [TestCase(503, "failed")]
    public async Task A_registry_that_refuses_is_told_once_whatever_is_asked(int status, string what)
    {
        Front.Do = (_, path) => path.Contains("/manifests/") ? new Fault { Status = status, Body = $$$"""{"errors":[{"code":"{{{(status == 401 ? "UNAUTHORIZED" : "DENIED")}}}","message":"{{{(status == 401 ? "authentication required" : "denied")}}}"}]}""" } : null;

        Assert.That(await FindAsync(Order("edge", ["vmdk", "qcow2"])), Is.Empty);

        Assert.That(Warnings.Single(), Does.Contain(what));
    }

    private bool IsOf(string format, string path) => path.Contains(_published.Images.Single(image => image.Image.Format == format).Image.Sha256!);

    private string ListOf(string format) => _published.Images.Single(image => image.Image.Format == format).Digest.Replace(':', '-');

    private string RecipeOf(string format) => _published.Images.Single(image => image.Image.Format == format).Image.Recipe;

    private Task<string> CopyAsync(string from, string to, bool all = false) => SampleImages.RunAsync("skopeo", ["--insecure-policy", "copy", .. all ? new[] { "--all" } : ["--preserve-digests"],
        "--src-tls-verify=false", "--dest-tls-verify=false", $"docker://{Front.Host}/{from}", $"docker://{Front.Host}/{to}"]);

    private StageRunner Stages => new(_events, TimeProvider.System);

    private Task<ImmutableArray<FinishedImage>> FindAsync(Wish order) => order.Images.FindAsync(order.Build, order.Wanted, format => RecipeOf(format.Name), Stages, Cancellation);

    private Wish Order(string name, IEnumerable<string> formats, string cache = "edge/images", string? publish = null, string? key = null)
    {
        var folder = Directory.CreateTempSubdirectory("crust-home-").FullName;
        var spec = new BuildSpec { Cache = $"{Front.Host}/{cache}", Publish = new() { Repository = publish is null ? null : $"{Front.Host}/{publish}", Tls = false, Retries = 0 } };
        _cache = new SharedCaches(_sample.Tools, new BuildCache(Path.Combine(folder, "cache"), Logger.None), _events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1) }.Open(spec);
        _drafts = DraftFolder.Create(Path.Combine(folder, "images"));
        _used.AddRange([_drafts, _cache, new Removed(folder)]);
        return new Wish(new SharedBuild(key ?? new string('a', 64), name, spec, InstallerSample.Iso.Sha256), [.. formats.Select(ImageFormats.Named)], new FinishedImages(_cache));
    }

    private sealed record Wish(SharedBuild Build, ImmutableArray<IImageFormat> Wanted, FinishedImages Images);

    private sealed class Removed(string folder) : IDisposable
    {
        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}
