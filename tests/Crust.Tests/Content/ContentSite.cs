using System.Security.Cryptography;
using System.Text;
using Crust.Attestation;
using Crust.Content;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Registries;
using Crust.Tools;

namespace Crust.Tests.Content;

/// <summary>A folder in which bundles are built of images in real registries.</summary>
internal sealed class ContentSite : IDisposable
{
    private int _caches;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-content-").FullName;

    public string Cache { get; private set; } = null!;

    public EventList Events { get; } = new();

    /// <summary>Looks at file systems.</summary>
    public Func<string, FolderSpace> Look { get; set; } = FolderSpace.Of;

    public ContentSite() => ForgetCache();

    /// <summary>Has the next bundle built with nothing in the cache.</summary>
    public void ForgetCache() => Cache = Directory.CreateDirectory(Path.Combine(Folder, $"cache-{++_caches}")).FullName;

    public string FileFor(string name) => Path.Combine(Folder, name);

    /// <summary>Builds a bundle, `content.yaml`, in a folder of the site.</summary>
    public Task<ContentResult> BuildAsync(string text, string output = "out", Func<ContentRequest, ContentRequest>? change = null)
    {
        var request = new ContentRequest(ContentPlanReader.Parse($"version: 1\nretries: 0\n{text}", "content.yaml", Folder), FileFor(output), new SignSpec());
        return Builder.BuildAsync(change?.Invoke(request) ?? request, Cancellation);
    }

    public ContentBuilder Builder
    {
        get
        {
            var folders = new Folders { Images = Folder, Cache = Cache, Runtime = Folder, Builder = Folders.BuilderBesideProgram };
            return new ContentBuilder(
                new ImagePuller(SampleDisk.Tools, Cache, Events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1) },
                new ContentAttestor(new Signer(SampleDisk.Tools, folders), TimeProvider.System), new ContentExtras(SampleDisk.Tools, Events), Cache, Events, TimeProvider.System)
            {
                Look = Look,
            };
        }
    }

    public async Task<CrustException> FailAsync(string text, Func<ContentRequest, ContentRequest>? change = null) => (await Assert.CatchAsync<CrustException>(() => BuildAsync(text, change: change)))!;

    /// <summary>A layer of bytes that don't compress, the same for the same name.</summary>
    public string Layer(string name, int length = 1000)
    {
        var path = FileFor($"layer-{name}.tar");
        var bytes = new byte[length];
        new Random(Encoding.UTF8.GetBytes(name).Sum(b => b)).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Pushes an image with one layer for each name, for each architecture; gives its name in the registry.</summary>
    public async Task<string> PushAsync(string registry, string name, Arch[] archs, string[] layers, string? authFile = null, bool asDocker = false)
    {
        var layout = OciSample.Write(FileFor(Guid.NewGuid().ToString("N")), [.. archs.Select(arch => (arch, layers.Select(layer => Layer(layer + (layer[0] == '*' ? "" : $"-{arch}"))).ToArray()))]);
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", ["--insecure-policy", "copy", .. asDocker ? new[] { "--format", "v2s2" } : ["--all", "--preserve-digests"], "--dest-tls-verify=false",
            .. authFile is null ? [] : new[] { "--dest-authfile", authFile }, $"oci:{layout}", $"docker://{registry}/{name}"]), Cancellation);
        return $"{registry}/{name}";
    }

    /// <summary>The digest that a registry without a login has for a name.</summary>
    public static async Task<string> DigestAsync(string image) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false", $"docker://{image}"), Cancellation)).Output)));

    /// <summary>Joins a bundle's parts as people would, and unpacks them; gives the archive's path.</summary>
    public async Task<string> JoinAsync(string output = "out", string name = "content")
    {
        var archive = FileFor($"joined-{Guid.NewGuid():N}.tar");
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("sh", "-c", $"cat {FileFor(output)}/{name}.tar.zst* | zstd -d -q -o {archive}"), Cancellation);
        return archive;
    }

    /// <summary>The registries' part of a file: one without TLS.</summary>
    public static string Plain(params string[] hosts) => "registries:\n" + string.Concat(hosts.Select(host => $"  - {{ registry: '{host}', tls: false }}\n"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
