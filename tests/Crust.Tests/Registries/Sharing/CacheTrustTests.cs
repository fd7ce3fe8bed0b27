using Crust.Attestation;
using Crust.Events;
using Crust.Formats;
using Crust.Registries;
using Crust.Registries.Sharing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Formats;
using Crust.Tests.Installers;
using Crust.Tests.Spec;
using Serilog.Core;

namespace Crust.Tests.Registries.Sharing;

/// <summary>Caches that several may write to, of whom not all are trusted (cache.trust).</summary>
[CancelAfter(300_000)]
public sealed class CacheTrustTests : RegistryFixture
{
    private static string _keys = "";

    private readonly List<IDisposable> _used = [];
    private string _repository = "";

    [OneTimeSetUp]
    public static async Task MakeKeysAsync()
    {
        _keys = Directory.CreateTempSubdirectory("crust-keys-").FullName;
        foreach (var name in new[] { "good", "other" })
        {
            await SampleImages.RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", Path.Combine(_keys, name));
        }

        await File.WriteAllTextAsync(Path.Combine(_keys, "allowed"), $"# builders\nci@example.org namespaces=\"crust-provenance\" {await File.ReadAllTextAsync(Path.Combine(_keys, "good.pub"))}");
    }

    [OneTimeTearDown]
    public static void DeleteKeys() => Directory.Delete(_keys, recursive: true);

    [SetUp]
    public void SetUp() => _repository = $"{NewRepository()}/cache";

    [TearDown]
    public void TearDown()
    {
        _used.ForEach(used => used.Dispose());
        _used.Clear();
    }

    [TestCase("allowed")]
    [TestCase("good.pub")]
    [TestCase("")]
    public async Task A_disk_that_a_trusted_key_signed_is_used(string keys)
    {
        var one = await Home(1, "good").BuildAsync();
        var second = Home(2, null, keys.Length > 0 ? Path.Combine(_keys, keys) : (await File.ReadAllTextAsync(Path.Combine(_keys, "good.pub"), Cancellation)).Trim());

        Assert.That((await second.BuildAsync()).Content, Is.EqualTo(one.Content));
        Assert.That((second.Installs, second.Warnings.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task An_unsigned_disk_is_not_used_and_a_signed_one_takes_its_place()
    {
        await Home(1, null).BuildAsync();
        var second = Home(2, "good", Path.Combine(_keys, "allowed"));
        var third = Home(3, null, Path.Combine(_keys, "allowed"));

        await second.BuildAsync();
        var pulled = await third.BuildAsync();

        Assert.That(second.Warnings.Single(), Does.Contain(" is refused: it isn't signed, and cache.trust says who has to have signed it"));
        Assert.That(second.Said[^1], Does.StartWith("pushed sha256:"));
        Assert.That((second.Installs, third.Installs, pulled.Install.Seconds), Is.EqualTo((1, 0, 2)));
    }

    [Test]
    public async Task A_disk_that_another_key_signed_is_not_used_nor_replaced_by_one_that_is_not_signed()
    {
        await Home(1, "other").BuildAsync();
        var second = Home(2, null, Path.Combine(_keys, "allowed"));

        await second.BuildAsync();

        Assert.That(second.Installs, Is.EqualTo(1));
        Assert.That(second.Warnings.Single(), Does.Contain("it isn't signed by a key of cache.trust: "));
        Assert.That(second.Said[^1], Does.StartWith("not pushed: this build doesn't sign"));
        Assert.That(Front.Writes.Count(write => write.Contains("/manifests/disk-")), Is.EqualTo(1));
    }

    [Test]
    public async Task A_good_signature_of_another_disk_is_not_one_of_this()
    {
        var one = Home(1, "good");
        await one.BuildAsync();
        var repository = _repository;
        _repository += "/elsewhere";
        var forged = Home(2, null);
        await forged.BuildAsync();
        var (good, bad) = (DigestOf(one), DigestOf(forged));
        // The attacker's disk is under the tag; the trusted signature is put where that disk's own would be.
        var tag = PublishedKey.TagOfDisk(SharedHome.Key);
        await CopyAsync($"{_repository}:{tag}", $"{repository}:{tag}");
        await CopyAsync($"{repository}:{SignatureOf(good)}", $"{repository}:{SignatureOf(bad)}");
        _repository = repository;
        var third = Home(3, null, Path.Combine(_keys, "allowed"));

        await third.BuildAsync();

        Assert.That(third.Installs, Is.EqualTo(1));
        Assert.That(third.Warnings.Single(), Does.Contain(" is refused: it isn't signed"));
    }

    [TestCase("/blobs/")]
    public async Task A_signed_disk_whose_bytes_were_changed_is_not_used(string request)
    {
        await Home(1, "good").BuildAsync();
        // The signature is small; the disk and what lies beside it aren't.
        Front.Do = (method, path) => method == "GET" && path.Contains(request) ? new Fault { Change = bytes => bytes.Length < 4096 ? bytes : [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] } : null;
        var second = Home(2, null, Path.Combine(_keys, "allowed"));

        await second.BuildAsync();

        Assert.That(second.Installs, Is.EqualTo(1));
        Assert.That(second.Warnings.Single(), Does.Contain("other bytes than their digest says"));
    }

    [Test]
    public async Task A_manifest_of_a_finished_image_is_believed_only_with_a_trusted_key_s_signature()
    {
        var content = "{\"version\": 1}"u8.ToArray();
        var file = Path.Combine(_keys, "manifest.json");
        await File.WriteAllBytesAsync(file, content, Cancellation);
        var good = await SignAsync(file, "good");
        var other = await SignAsync(file, "other");
        var trust = new CacheTrust(SampleDisk.Tools, [Path.Combine(_keys, "allowed")], Path.Combine(_keys, "cache"));

        await trust.CheckAsync(content, good, Cancellation);
        foreach (var (what, signature) in new[] { (content, null), (content, other), ([.. content, (byte)' '], good), (content, "nonsense"u8.ToArray()) })
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => trust.CheckAsync(what, signature, Cancellation));
        }
    }

    [Test]
    public async Task Finished_images_without_a_signature_are_not_used()
    {
        using var sample = await PublishSample.MakeAsync(Front.Host, Arch.Amd64, "qcow2");
        await sample.PublishAsync();
        var manifest = sample.Shelf.ManifestPath("edge");

        Assert.That(await CountFoundAsync(sample), Is.EqualTo(1));
        Assert.That(await CountFoundAsync(sample, Path.Combine(_keys, "allowed")), Is.Zero);

        File.Copy(manifest, Path.Combine(_keys, "edge.manifest.json"), overwrite: true);
        await File.WriteAllBytesAsync(manifest + ".sig", await SignAsync(Path.Combine(_keys, "edge.manifest.json"), "good"), Cancellation);
        await sample.PublishAsync();
        Assert.That(await CountFoundAsync(sample, Path.Combine(_keys, "allowed")), Is.EqualTo(1));
        Assert.That(await CountFoundAsync(sample, Path.Combine(_keys, "other.pub")), Is.Zero);
    }

    [Test]
    public async Task A_file_of_keys_that_is_not_there_is_bad_input() =>
        Assert.That((await Assert.ThrowsAsync<CrustException>(() => Home(1, null, Path.Combine(_keys, "none")).BuildAsync()))!.What, Is.EqualTo("The file of keys in cache.trust doesn't exist"));

    [Test]
    public void A_spec_names_the_cache_by_itself_or_in_a_mapping_with_the_keys()
    {
        using var sample = new SpecSample();
        const string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ== me@home";

        Assert.That(sample.Read("cache: oci://registry.example.com/a/b").Cache, Is.EqualTo("registry.example.com/a/b"));
        var spec = sample.Read($"cache:\n  registry: oci://registry.example.com/a/b\n  trust:\n    - {key}\n    - 'ci@x {key}'\n    - keys/allowed\n");
        Assert.That((spec.Cache, string.Join("; ", spec.CacheTrust)), Is.EqualTo(("registry.example.com/a/b", $"{key}; ci@x {key}; {sample.Folder}/keys/allowed")));
        Assert.That(sample.Read(null, variables: [("CACHE_TRUST", "allowed")]).CacheTrust, Is.EqualTo(new[] { $"{sample.Folder}/allowed" }));
        Assert.That(sample.Fail("cache:\n  registry: oci://registry.example.com/a/b\n  trust: []\n").What, Is.EqualTo("The list of trusted keys is empty"));
        Assert.That(sample.Fail("cache:\n  trusts: [x]\n").What, Is.EqualTo("There is no key 'cache.trusts'"));
        Assert.That(sample.Fail("cache: [x]\n").Kind, Is.EqualTo(FailureKind.BadInput));
    }

    private static string DigestOf(SharedHome home) => home.Said[^1].Split(' ')[^1];

    private static string SignatureOf(string digest) => digest.Replace(':', '-') + ".sig";

    private static Task<string> CopyAsync(string from, string to) => SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false",
        $"docker://{from}", $"docker://{to}");

    private static async Task<int> CountFoundAsync(PublishSample sample, params string[] trust)
    {
        var published = sample.Shelf.LoadManifest("edge")!;
        var spec = sample.Spec with { Cache = sample.Spec.Publish.Repository, CacheTrust = [.. trust] };
        var folder = Path.Combine(_keys, "machine");
        var events = new EventList();
        using var cache = new SharedCaches(sample.Tools, new BuildCache(folder, Logger.None), events, TimeProvider.System).Open(spec);
        var build = new SharedBuild(published.BuildKey, "edge", spec, InstallerSample.Iso.Sha256);
        var found = await new FinishedImages(cache).FindAsync(build, [ImageFormats.Named("qcow2")], _ => published.Images.Single().Recipe, new StageRunner(events, TimeProvider.System), Cancellation);
        Assert.That(events.Events.OfType<BuildEvent.Warned>().Count(), Is.EqualTo(1 - found.Length), "a refusal is told");
        return found.Length;
    }

    private SharedHome Home(int seed, string? signs, params string[] trust)
    {
        var home = new SharedHome(_repository, seed);
        _used.Add(home);
        home.Signer = new Signer(SampleDisk.Tools, new Folders { Images = "", Cache = home.Cache, Runtime = "", Builder = "" });
        home.Spec = home.Spec with { CacheTrust = [.. trust], Sign = new SignSpec { Key = signs is null ? null : Path.Combine(_keys, signs) } };
        return home;
    }

    private static async Task<byte[]> SignAsync(string file, string key)
    {
        File.Delete(file + ".sig");
        await SampleImages.RunAsync("ssh-keygen", "-Y", "sign", "-q", "-f", Path.Combine(_keys, key), "-n", "crust-provenance", file);
        return await File.ReadAllBytesAsync(file + ".sig", Cancellation);
    }
}
