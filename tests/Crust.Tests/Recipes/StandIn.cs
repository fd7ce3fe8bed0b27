using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Crust.Downloads;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Installers;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Recipes;

/// <summary>A server in upstream's place, by way of a mirror, with a cache, a key that signs, and a folder of recipes.</summary>
internal sealed class StandIn : IDisposable
{
    private const string MirrorFolder = "/mirror/";

    private readonly LoopbackServer _server = new();
    private readonly Dictionary<string, SortedDictionary<string, string>> _lists = [];
    private string _packages = "";
    private readonly Dictionary<string, (ListForm Form, string? Signature)> _forms = [];

    public StandIn()
    {
        _server.Answer = request => Redirects.TryGetValue(request.Path, out var to) ? new WebAnswer("302 Found", []) { Headers = new Dictionary<string, string> { ["Location"] = to } }
            : Served.FirstOrDefault(one => request.Path.StartsWith(one.Key, StringComparison.Ordinal)) is { Key: not null } served && Path.Combine(served.Value, Uri.UnescapeDataString(request.Path[served.Key.Length..])) is var path && File.Exists(path)
                ? LoopbackServer.File(request, File.ReadAllBytes(path), null)
            : Files.TryGetValue(request.Path, out var bytes) ? LoopbackServer.File(request, bytes, $"\"{Sum(bytes)[..8]}\"", cutAfter: CutAfter(request)) : new WebAnswer("404 Not Found", []);
        Directory.CreateDirectory(Path.Combine(Recipes, "keys"));
        Directory.CreateDirectory(Gpg, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-upstream-").FullName;

    /// <summary>A user's own recipes.</summary>
    public string Recipes => Path.Combine(Folder, "recipes");

    public EventList Events { get; } = new();

    /// <summary>What is served, by path.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>A program in an archive, or one that isn't packed, by its name; null for a text that says what it is.</summary>
    public Func<string, byte[]?> Program { get; set; } = _ => null;

    /// <summary>Folders that are served, by the beginning of their paths.</summary>
    public Dictionary<string, string> Served { get; } = [];

    /// <summary>Where what is asked for is, by path.</summary>
    public Dictionary<string, string> Redirects { get; } = [];

    /// <summary>After how many bytes an answer ends before its end; null for none.</summary>
    public Func<WebRequest, int?> CutAfter { get; set; } = _ => null;

    public IReadOnlyList<WebRequest> Requests => _server.Requests;

    public string MirrorUrl => _server.Url(MirrorFolder.Trim('/'));

    public Mirrors Mirrors => Mirrors.None.WithAll(MirrorUrl);

    public RecipeBook Book => new(Path.Combine(Folders.BuilderBesideProgram, "recipes"), Recipes);

    public HttpSource Http { get; } = new(HttpSource.NewClient(), TimeProvider.System, Logger.None) { FirstPause = TimeSpan.Zero };

    /// <summary>The URL of a path of this server.</summary>
    public string UrlOf(string path) => _server.Url(path);

    public RecipeSources Sources => new(Path.Combine(Folder, "cache"), Http, Tools, new AptPackages(Tools, Path.Combine(Folder, "cache")) { Sources = Path.Combine(Folder, "apt") }, Events, TimeProvider.System, Logger.None);

    public RecipeTrees Trees => new(Sources, new RecipeArchives(Tools, new BuildCache(Path.Combine(Folder, "cache"), Logger.None)));

    public static ToolBox Tools { get; } = new(["/usr/bin", "/bin"], Logger.None);

    private string Gpg => Path.Combine(Folder, "gpg");

    public static string Sum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string PathOf(Uri url) => $"{MirrorFolder}{url.Host}{url.AbsolutePath}";

    /// <summary>Serves all that a recipe downloads in a version, for each architecture.</summary>
    public void Serve(Recipe recipe, RecipeVersion version)
    {
        var pick = new RecipePick(recipe, version);
        foreach (var (download, arch) in recipe.Downloads.SelectMany(download => download.Archs.Select(arch => (download, arch))))
        {
            var layout = StandInLayout.All[(recipe.Name, download.Name)];
            var label = $"{recipe.Name} {version.Version} {arch} {download.Name}";
            if (download.Package is { } package)
            {
                ServePackage(package, $"1:{version.Version}-1", arch, [.. layout.Members!.Select(member => (member, $"{label} {member}"))]);
                continue;
            }

            var url = pick.UrlOf(download.Url, download, arch);
            var content = layout.Members is null ? Program(download.Name) ?? Encoding.UTF8.GetBytes(label)
                : Pack(download.Archive!.Value, [.. layout.Members.Select(member => (Placeholders.Path(member, recipe, version.Version, arch), Program(member.Split('/')[^1]) ?? Encoding.UTF8.GetBytes($"{label} {member}")))]);
            Files[PathOf(url)] = content;
            Assert.That(download.Sums is null, Is.EqualTo(layout.Form is ListForm.None), $"{label} has a list of checksums, or none");
            if (download.Sums is { } sums)
            {
                var list = PathOf(pick.UrlOf(sums, download, arch));
                var lines = _lists.TryGetValue(list, out var known) ? known : _lists[list] = [];
                var name = Uri.UnescapeDataString(url.Segments[^1]);
                lines[name] = Sum(content);
                if (recipe.Name == "nebula")
                {
                    lines[name + "/nebula"] = Sum([1]);
                }

                _forms[list] = (layout.Form, download.Signature is { } signature ? PathOf(pick.UrlOf(signature, download, arch)) : null);
            }
        }
    }

    /// <summary>Serves a Debian package in a repository whose sources are in the folder `apt`.</summary>
    public void ServePackage(string name, string version, Arch arch, IReadOnlyList<(string Path, string Text)> files)
    {
        var root = Directory.CreateDirectory(Path.Combine(Folder, "debs", $"{name}-{arch}")).FullName;
        Directory.CreateDirectory(Path.Combine(root, "DEBIAN"));
        var control = $"Package: {name}\nVersion: {version}\nArchitecture: {arch.LowerName()}\nMaintainer: Nobody <nobody@example.org>\nDescription: {name}\n";
        File.WriteAllText(Path.Combine(root, "DEBIAN", "control"), control);
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
            File.WriteAllText(Path.Combine(root, path), text);
        }

        Run("dpkg-deb", null, [], "-Zxz", "--root-owner-group", "--build", root, root + ".deb");
        var deb = File.ReadAllBytes(root + ".deb");
        var file = $"{name}_{version.Replace("1:", "")}_{arch.LowerName()}.deb";
        Files["/apt/" + file] = Files[$"{MirrorFolder}{new Uri(_server.Url("")).Authority}/apt/{file}"] = deb;
        _packages += $"{control}Filename: ./{file}\nSize: {deb.Length}\nSHA256: {Sum(deb)}\n\n";
        Files["/apt/./Packages"] = Files["/apt/Packages"] = Encoding.UTF8.GetBytes(_packages);
        Files["/apt/./Release"] = Files["/apt/Release"] = Encoding.UTF8.GetBytes($"Date: {DateTime.UtcNow:R}\nSHA256:\n {Sum(Files["/apt/Packages"])} {_packages.Length} Packages\n");
        Directory.CreateDirectory(Path.Combine(Folder, "apt"));
        File.WriteAllText(Path.Combine(Folder, "apt", "sources.list"), $"deb [trusted=yes] {_server.Url("apt")} ./\n");
    }

    /// <summary>Writes the lists of what is served, and signs those that are signed.</summary>
    public void WriteLists()
    {
        foreach (var (path, lines) in _lists)
        {
            var (form, signature) = _forms[path];
            var text = form is ListForm.Bare ? lines.Values.Single() + "\n" : string.Concat(lines.Select(line => $"{line.Value} {(form is ListForm.Star or ListForm.ClearSigned ? "*" : " ")}{line.Key}\n"));
            Files[path] = form is ListForm.ClearSigned ? Sign(text, "--clearsign") : Encoding.UTF8.GetBytes(text);
            if (signature is not null)
            {
                Files[signature] = Sign(text, "--detach-sign");
            }
        }
    }

    /// <summary>Copies Crust's own recipes into the folder of the user's, with the sums of what is served here, and with this key in place of upstream's.</summary>
    /// <param name="names">Which; empty for all.</param>
    public void CopyShipped(string fingerprint, params string[] names)
    {
        var shipped = new RecipeBook(Path.Combine(Folders.BuilderBesideProgram, "recipes"), null);
        foreach (var recipe in shipped.Names.Where(name => names.Length == 0 || names.Contains(name)).Select(shipped.Get))
        {
            var text = File.ReadAllText(recipe.Path);
            foreach (var version in recipe.Versions)
            {
                Serve(recipe, version);
                foreach (var ((arch, name), pin) in version.Sums)
                {
                    var download = recipe.Downloads.Single(download => download.Name == name);
                    text = text.Replace(pin, Sum(Files[PathOf(Placeholders.Url(download.Url, recipe, download, version.Version, arch))]));
                }
            }

            foreach (var key in recipe.Downloads.Select(download => download.Key).OfType<string>().Distinct())
            {
                text = text.Replace(key, fingerprint);
            }

            File.WriteAllText(Path.Combine(Recipes, recipe.Name + ".yaml"), text);
        }

        WriteLists();
    }

    /// <summary>Makes a key, and puts its public half beside the recipes.</summary>
    /// <returns>Its fingerprint.</returns>
    public string MakeKey(string user = "upstream@example.org")
    {
        RunGpg([], "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", "never");
        var listing = Encoding.UTF8.GetString(RunGpg([], "--with-colons", "--list-keys", user));
        var fingerprint = listing.Split('\n').First(line => line.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
        File.WriteAllBytes(Path.Combine(Recipes, "keys", fingerprint + ".asc"), RunGpg([], "--armor", "--export", user));
        return fingerprint;
    }

    public byte[] Sign(string text, string how, string user = "upstream@example.org") => RunGpg(Encoding.UTF8.GetBytes(text), "-u", user, "-o", "-", how);

    public static byte[] Pack(ArchiveKind kind, IReadOnlyList<(string Path, byte[] Content)> members)
    {
        using var archive = new MemoryStream();
        if (kind is ArchiveKind.Zip)
        {
            using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
            {
                foreach (var (path, content) in members)
                {
                    var entry = zip.CreateEntry(path);
                    // A regular file, 0755.
                    entry.ExternalAttributes = unchecked((int)0x81ED0000);
                    using var stream = entry.Open();
                    stream.Write(content);
                }
            }

            return archive.ToArray();
        }

        using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (path, content) in members)
            {
                var entry = new UstarTarEntry(path.EndsWith('/') ? TarEntryType.Directory : TarEntryType.RegularFile, path) { Mode = (UnixFileMode)0b111_101_101 };
                if (entry.EntryType is TarEntryType.RegularFile)
                {
                    entry.DataStream = new MemoryStream(content);
                }

                tar.WriteEntry(entry);
            }
        }

        return Compress(kind, archive.ToArray());
    }

    public static byte[] Compress(ArchiveKind kind, byte[] tar)
    {
        if (kind is not ArchiveKind.TarGz)
        {
            return Run(kind is ArchiveKind.TarXz ? "xz" : "zstd", null, tar, "-c", "-q");
        }

        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return packed.ToArray();
    }

    public void Dispose()
    {
        _server.Dispose();
        Run("gpgconf", Gpg, [], "--kill", "all");
        Directory.Delete(Folder, recursive: true);
    }

    private byte[] RunGpg(byte[] input, params string[] args) => Run("gpg", Gpg, input, ["--batch", "--quiet", "--no-tty", "--yes", .. args]);

    private static byte[] Run(string program, string? gpgHome, byte[] input, params string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GNUPGHOME"] = gpgHome;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, () => $"{program} {string.Join(' ', args)}: {errors.Result}");
        return output.ToArray();
    }
}
