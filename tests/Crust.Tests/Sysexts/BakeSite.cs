using System.Collections.Immutable;
using System.Text;
using Crust.Attestation;
using Crust.Downloads;
using Crust.Isos;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Sysexts.Baking;
using Crust.Tests.Recipes;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Sysexts;

/// <summary>A site with two recipes, `tool` and `other`, whose upstream is a stand-in, and a folder that it publishes.</summary>
internal sealed class BakeSite : IDisposable
{
    public const string Versions = """
        version: 1
        url: https://extensions.example.org/stable
        os: debian
        osVersion: 12
        extensions:
          - { recipe: tool, versions: ['1.2.3', '1.1.0'], archs: [amd64, arm64] }
          - { recipe: other, versions: ['1.0.0'], reload: true } # the other one

        """;

    public BakeSite()
    {
        WriteRecipe("tool", "1.2.3", "1.1.0");
        WriteRecipe("other", "1.0.0");
        File.WriteAllText(VersionsPath, Versions);
    }

    public StandIn Upstream { get; } = new();

    /// <summary>A real web server in place of upstream has the recipes' files under this host.</summary>
    public string Host { get; } = $"{Guid.NewGuid():N}.example.org";

    public string Folder => Path.Combine(Upstream.Folder, "extensions");

    public string VersionsPath => Path.Combine(Upstream.Folder, "versions.yaml");

    public ToolBox Tools => new(HostEnvironment.Read().SearchPath, Logger.None)
    {
        Environment = ImmutableDictionary<string, string>.Empty.Add("GNUPGHOME", Path.Combine(Upstream.Folder, "gpg")).Add("PATH", Environment.GetEnvironmentVariable("PATH")!),
    };

    public IEnumerable<string> Extensions => FilesIn(Folder, "*.raw");

    public static IEnumerable<string> FilesIn(string folder, string pattern = "*") => Directory.EnumerateFileSystemEntries(folder, pattern).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    /// <summary>Serves versions of a recipe with their lists of checksums, and pins them.</summary>
    public void WriteRecipe(string name, params string[] versions)
    {
        var text = new StringBuilder($$"""
            name: {{name}}
            summary: A tool
            homepage: https://example.org
            license: MIT
            downloads:
              {{name}}: { url: 'https://{{Host}}/{{name}}/{tag}/{{name}}-{arch}', sums: 'https://{{Host}}/{{name}}/{tag}/SHA256SUMS' }
            files:
              - { from: {{name}}, to: /usr/bin/{{name}}, mode: '755' }
            versions:

            """);
        foreach (var version in versions)
        {
            ServeVersion(name, version);
            text.Append(null, $"  '{version}': {{ amd64: {{ {name}: {SumOf(name, version, Arch.Amd64)} }}, arm64: {{ {name}: {SumOf(name, version, Arch.Arm64)} }} }}\n");
        }

        File.WriteAllText(RecipePath(name), text.ToString());
    }

    public void ServeVersion(string name, string version)
    {
        foreach (var arch in Enum.GetValues<Arch>())
        {
            Serve($"/{name}/v{version}/{name}-{arch.LowerName()}", Content(name, version, arch));
        }

        Serve($"/{name}/v{version}/SHA256SUMS", string.Concat(Enum.GetValues<Arch>().Select(arch => $"{SumOf(name, version, arch)}  {name}-{arch.LowerName()}\n")));
    }

    public void Serve(string path, string text) => Upstream.Files[StandIn.PathOf(new Uri($"https://{Host}{path}"))] = Encoding.UTF8.GetBytes(text);

    public string RecipePath(string name) => Path.Combine(Upstream.Recipes, name + ".yaml");

    public static string SumOf(string name, string version, Arch arch) => StandIn.Sum(Encoding.UTF8.GetBytes(Content(name, version, arch)));

    public BakeRequest Request(string? versions = null, string? folder = null) => new(
        VersionsReader.Parse(versions ?? File.ReadAllText(VersionsPath), VersionsPath), Upstream.Book, LockFile.Empty(Path.Combine(Upstream.Folder, "crust.lock")), Upstream.Mirrors, folder ?? Folder, null, null, false, 2);

    private Signer Signer => new(Tools, new Folders { Images = Folder, Cache = Path.Combine(Upstream.Folder, "cache"), Runtime = Folder, Builder = Folder });

    public Bakery Bakery => new(Upstream.Sources, Upstream.Trees, new SysextBuilder(Tools, new SysextAttestor(Signer, TimeProvider.System), TimeProvider.System), new ListSignature(Tools, Path.Combine(Upstream.Folder, "cache")),
        new Publication(Upstream.Http, new Downloader(Upstream.Http, Path.Combine(Upstream.Folder, "cache"), new IsoHash(Path.Combine(Upstream.Folder, "cache"), Upstream.Events, Logger.None), Upstream.Events, TimeProvider.System), Upstream.Events), Upstream.Events);

    public Task<BakeResult> BakeAsync(BakeRequest? request = null) => Bakery.BuildAsync(request ?? Request(), TestContext.CurrentContext.CancellationToken);

    public Task<IndexResult> IndexAsync(BakeRequest request, BakeResult result, string? gpgKey = null) =>
        new SysextIndex(Signer).WriteAsync(
            new IndexRequest(request.Folder, request.Versions.Url!, new SignSpec { GpgKey = gpgKey }, request.Versions.Pinned, request.IsPartial ? result.List : null) { OnlyIfChanged = true },
            TestContext.CurrentContext.CancellationToken);

    /// <summary>A copy of what is published, as a CI downloads it.</summary>
    public string Download(params string[] files)
    {
        var copy = Directory.CreateDirectory(Path.Combine(Upstream.Folder, $"copy-{Guid.NewGuid():N}")).FullName;
        foreach (var file in Directory.GetFiles(Folder).Where(file => files.Length == 0 || files.Contains(Path.GetFileName(file))))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        return copy;
    }

    public void Dispose() => Upstream.Dispose();

    private static string Content(string name, string version, Arch arch) => $"{name} {version} for {arch.LowerName()}";
}
