using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Bases;
using Crust.Disks;
using Crust.Layers;
using Crust.Planning;
using Crust.Seeds;
using Crust.Seeds.Documents;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Embedding;

/// <summary>Collects a spec and all that it names in a folder, to be built into a container: `work/crust.yaml`, `work/files/…`, and the ISO or the base image in `iso/`.</summary>
internal sealed class Embedder(IReadOnlyCollection<SpecFormat> formats, SourceLibrary library)
{
    private const string FilesFolder = "files";

    // What the file in the folder makes needless: its checksum is known then.
    private static readonly ImmutableHashSet<string> AboutSource = [.. new[] { "installer", "base" }
        .SelectMany(section => new[] { "iso", "build", "image", "rootfs", "oci", "debian.suite", "debian.packages", "debian.mirror", "sha256", "sha256Signature", "signature", "key", "allowUnverified" }.Select(name => $"{section}.{name}"))];

    /// <param name="folder">A folder that isn't there yet, or is empty; it is whole, or isn't there.</param>
    /// <param name="isoFolder">Where the ISO or the base image will lie when the spec is read, absolute.</param>
    /// <exception cref="CrustException">The spec is wrong, its installer can't be had, a file of its seed holds a secret and secrets aren't wanted, or the folder can't be written.</exception>
    public async Task<EmbeddedSpec> WriteAsync(SpecSources sources, string folder, string isoFolder, bool withSecrets, CancellationToken cancellation)
    {
        var reader = new SpecReader(formats);
        var spec = reader.Read(sources);
        var given = reader.Gather(sources);
        ImmutableArray<string> inFiles =
        [
            .. SeedFiles.ReadAsWritten(spec.Seed).Files.SelectMany(file => file.SecretNames.Select(name => $"{file.Path}: {name}")),
            .. SpecKeys.For(formats).Where(key => !key.IsSecret && key.SecretOf(spec) is null && !AboutSource.Contains(key.Path) && given.ContainsKey(key.Path))
                .SelectMany(key => SecretsIn(key.Path, given[key.Path])),
            .. spec.Layers.SelectMany(layer => layer.Paths).SelectMany(FilesIn).Where(RideAlong.HasSecrets).Select(file => $"{file}: a layer's file"),
        ];
        if (!withSecrets && !inFiles.IsEmpty)
        {
            throw new CrustException(FailureKind.BadInput, inFiles.Length == 1 ? "A file that would be embedded holds a secret" : $"Files that would be embedded hold {inFiles.Length} secrets",
                string.Join("; ", inFiles), "give what stands in a seed's file by a variable (seed.substitute: true and ${NAME}), and the rest when the container runs; or embed "
                    + "secrets, too (--secrets, EMBED_SECRETS=true), and guard the container as you guard them");
        }

        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new CrustException(FailureKind.BadInput, "The folder holds something already", folder, "empty it, or name another");

        var source = spec.IsReference ? null : await library.GetAsync(spec, cancellation);
        var draft = new Draft(spec, given, withSecrets, inFiles);
        foreach (var key in SpecKeys.For(formats).Where(key => draft.Given.ContainsKey(key.Path) && !AboutSource.Contains(key.Path)))
        {
            if (key.TakesMappings)
                draft.AddLayers();
            else
                draft.Add(key, IsPrivate(key, given[key.Path]));
        }

        if (source is not null)
        {
            draft.Say(KeyOf(source), Path.Combine(isoFolder, NameOf(source)));
        }

        HeldFolder? held = null;
        try
        {
            var parent = Path.GetDirectoryName(folder)!;
            Directory.CreateDirectory(parent);
            held = HeldFolder.Create(parent, ".crust-embed-");
            var partial = Path.Combine(held.Path, Path.GetFileName(folder));
            Directory.CreateDirectory(Path.Combine(partial, "iso"));
            if (source is not null)
                draft.Say($"{source.Kind}.sha256", await CopyAsync(source, Path.Combine(partial, "iso", NameOf(source)), cancellation));
            await draft.WriteToAsync(Path.Combine(partial, "work"), cancellation);
            if (Directory.Exists(folder))
                Directory.Delete(folder);
            WholeFile.PlaceFolder(partial, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The folder can't be written: {e.Message}", folder, "make it writable, or name another", e);
        }
        finally
        {
            held?.Dispose();
        }

        return new EmbeddedSpec(draft.Secrets, source?.Path);
    }

    private static string KeyOf(DiskOrigin source) => source switch
    {
        BaseImage { IsOci: true } => "base.oci",
        BaseImage { IsRoot: true } => "base.rootfs",
        BaseImage => "base.image",
        _ => "installer.iso",
    };

    // What was pulled, made of packages or is a folder has no file of the user's own.
    private static string NameOf(DiskOrigin source) => Directory.Exists(source.Path) || source is BaseImage { IsRoot: true } && !Path.GetFileName(source.Path).StartsWith(source.BaseName, StringComparison.Ordinal)
        ? $"{source.BaseName}.tar" : Path.GetFileName(source.Path);

    // Gives the SHA-256 of what was copied: what an OCI image is known by is its digest, and not that of an archive with it.
    private static async Task<string> CopyAsync(DiskOrigin source, string target, CancellationToken cancellation)
    {
        if (Directory.Exists(source.Path))
        {
            await using var archive = File.Create(target);
            await FileTree.FromFolder(source.Path).WriteTarAsync(archive, Mmdebstrap.Epoch, cancellation);
        }
        else
        {
            SparseFile.Duplicate(source.Path, target, _ => { }, cancellation);
        }

        return source is BaseImage { IsOci: true } ? await Checksum.OfFileAsync(target, cancellation) : source.Sha256;
    }

    private static IEnumerable<string> FilesIn(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }) : [path];

    private static IEnumerable<string> SecretsIn(string key, GivenValue value) => SpecSecrets.In(key, [.. value.Items.Select(item => item.Text)])
        .Zip(value.Items, (found, item) => found.Select(one => $"{item.Where}: {one.Name}")).SelectMany(places => places).Distinct();

    // Files and folders that let somebody in somewhere: a key that signs, registries' logins, a client's certificate with its key. Those of the seed are refused before.
    private static bool IsPrivate(SpecKey key, GivenValue value) => !key.Path.StartsWith("seed.", StringComparison.Ordinal) && value.Items.Any(item => key.PathAt(item.Text) is >= 0 and var at
        && RideAlong.HasSecrets(Path.GetFullPath(item.Text[at..], value.BaseFolder)));

    /// <summary>The spec as it will be, while it is collected.</summary>
    private sealed class Draft(BuildSpec spec, ImmutableDictionary<string, GivenValue> given, bool withSecrets, ImmutableArray<string> secretsInFiles)
    {
        private readonly List<(string Path, ConfigNode Value)> _values = [("version", ConfigTree.Text("1", Place.Default))];
        private readonly Dictionary<string, string> _files = [];
        private readonly Dictionary<string, FileTree> _trees = [];
        private readonly List<EmbeddedSecret> _secrets = [.. secretsInFiles.Select(place => new EmbeddedSecret(place, null))];

        public ImmutableDictionary<string, GivenValue> Given => given;

        public ImmutableArray<EmbeddedSecret> Secrets => [.. _secrets.DistinctBy(secret => secret.Place)];

        public void Say(string path, string value) => _values.Add((path, ConfigTree.Text(value, Place.Default)));

        public void Add(SpecKey key, bool isPrivate)
        {
            if (key.Path == "version")
                return;
            if (key.SecretOf(spec) is { } secret)
            {
                // Where it came from a file, or a descriptor of this process, it is said itself.
                var path = key.Path.EndsWith("File", StringComparison.Ordinal) ? key.Path[..^"File".Length] : key.Path;
                _secrets.Add(new EmbeddedSecret(path, key.Variable));
                if (withSecrets && !_values.Exists(value => value.Path == path))
                    Say(path, secret.Reveal());
                return;
            }

            if (isPrivate)
            {
                _secrets.Add(new EmbeddedSecret(key.Path, key.Variable));
                if (!withSecrets)
                    return;
            }

            var value = given[key.Path];
            ImmutableArray<ConfigNode> items = [.. value.Items.Select(item => ConfigTree.Text(Portable(key, item.Text, value.BaseFolder), Place.Default))];
            _values.Add((key.Path, key.IsList && (value.IsList || items.Length > 1) ? ConfigTree.List(items) : items[^1]));
        }

        public void AddLayers()
        {
            _values.Add(("layers", ConfigTree.List([.. spec.Layers.Select(layer => (ConfigNode)ConfigTree.Map(Portable(layer)))])));
            foreach (var (folder, file) in spec.Layers.Select(RecipeOf).OfType<LayerSpec.Recipe>().SelectMany(recipe => RecipeLayer.FilesBeside(recipe).Select(file => (recipe.Folder, file))))
                _files[Path.GetRelativePath(folder, file)] = file;
        }

        public async Task WriteToAsync(string folder, CancellationToken cancellation)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "crust.yaml"), ConfigWriter.Write(Tree(_values)));
            foreach (var (name, source) in _files)
                Copy(source, Path.Combine(folder, name));
            foreach (var (name, tree) in _trees)
            {
                await using var archive = File.Create(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, FilesFolder)).FullName, name));
                await tree.WriteTarAsync(archive, Mmdebstrap.Epoch, cancellation);
            }
        }

        private static LayerSpec.Recipe? RecipeOf(LayerSpec layer) => layer as LayerSpec.Recipe ?? ((layer as LayerSpec.Sysext)?.Source as SysextOrigin.Built)?.Recipe;

        private (string, ConfigNode?)[] Portable(LayerSpec layer) => layer switch
        {
            LayerSpec.Sysext sysext =>
            [
                ("sysext", Portable(sysext.Source)),
                ("partition", Text(sysext.Partition)),
                ("profile", Text(sysext.Profile)),
                ("variant", Text(RecipeOf(sysext)?.Variant)),
            ],
            LayerSpec.Users users => [("users", ConfigTree.List([.. users.Accounts.Select(Portable)]))],
            LayerSpec.FirstBoot first => [("firstBoot", ConfigTree.Map(("repository", Text(first.Repository)), ("commit", Text(first.Commit)), ("branch", Text(first.Branch)), ("sha256", Text(first.Sha256)),
                ("key", Text(first.Key is { } key ? NameFor(key) : null)), ("knownHosts", Text(first.KnownHosts is { } hosts ? NameFor(hosts) : null)), ("nodes", Text(NameFor(first.Nodes))),
                ("copy", Text(first.Copy is not { } copy ? null : Directory.Exists(copy) ? AddTree(copy) : NameFor(copy))), ("patience", Text(Duration.Format(first.Patience))), ("token", Text(first.Token)), ("webhook", Text(first.Webhook))))],
            LayerSpec.K3s k3s => [("k3s", Portable(k3s))],
            LayerSpec.Packages packages => [("packages", Texts(packages.Names)), ("upgrade", packages.Upgrade ? ConfigTree.Flag(true, Place.Default) : null)],
            LayerSpec.Recipe recipe =>
            [
                ("recipe", ConfigTree.Text(recipe.Version is null ? recipe.Name : $"{recipe.Name}@{recipe.Version}", Place.Default)),
                ("variant", recipe.Variant is { } variant ? ConfigTree.Text(variant, Place.Default) : null),
            ],
            LayerSpec.Images images => [("images", Texts(images.Archives.Select(NameFor))), ("into", ConfigTree.Text(images.Into, Place.Default))],
            // A folder's modes and links are its layer's, too: an archive keeps them.
            LayerSpec.Files { Path: var path } when Directory.Exists(path) => [("files", ConfigTree.Text(AddTree(path), Place.Default))],
            _ => [(layer.Kind, ConfigTree.Text(NameFor(layer.Paths[0]), Place.Default))],
        };

        private ConfigNode Portable(SysextOrigin source) => source switch
        {
            SysextOrigin.Local local => Text(NameFor(local.Path))!,
            SysextOrigin.Published published => ConfigTree.Map(("index", Text(published.Url.AbsoluteUri)), ("name", Text(published.Name)), ("version", Text(published.Version)),
                ("key", Text(published.Key is { } key ? NameFor(key) : null)), ("sha256", Text(published.Sha256)), ("allowUnverified", published.AllowUnverified ? ConfigTree.Flag(true, Place.Default) : null)),
            SysextOrigin.Built { Recipe: var recipe } => Text(recipe.Version is null ? recipe.Name : $"{recipe.Name}@{recipe.Version}")!,
            _ => throw new ArgumentOutOfRangeException(nameof(source)),
        };

        // Public keys are their text: nothing else of their files is meant.
        private static ConfigNode Portable(LayerUser user) => ConfigTree.Map(("name", Text(user.Name)), ("keys", Texts(user.Keys)), ("sudo", user.Sudo ? ConfigTree.Flag(true, Place.Default) : null),
            ("groups", user.Groups.IsEmpty ? null : Texts(user.Groups)), ("shell", Text(user.Shell)));

        private static ConfigMap Portable(LayerSpec.K3s k3s) => ConfigTree.Map(("role", Text(k3s.Role)), ("url", Text(k3s.Url)), ("tokenFile", Text(k3s.TokenFile)),
            ("config", k3s.Options.IsEmpty ? null : ConfigTree.Map(k3s.Options.Select(option => (option.Key, (ConfigNode?)Texts(option.Value))))),
            ("flux", k3s.Flux is not { } flux ? null : ConfigTree.Map(("repository", Text(flux.Repository)), ("branch", Text(flux.Branch)), ("path", Text(flux.Path)))));

        private static ConfigScalar? Text(string? text) => text is null ? null : ConfigTree.Text(text, Place.Default);

        private string AddTree(string path)
        {
            var name = $"layer-{_trees.Count + 1}-{Path.GetFileName(path)}.tar";
            _trees[name] = FileTree.FromFolder(path);
            return $"{FilesFolder}/{name}";
        }

        private static ConfigList Texts(IEnumerable<string> texts) => ConfigTree.List([.. texts.Select(text => ConfigTree.Text(text, Place.Default))]);

        private string Portable(SpecKey key, string text, string baseFolder)
        {
            var at = key.PathAt(text);
            if (at < 0)
                return text;
            var source = Path.GetFullPath(text[at..], baseFolder);
            var name = NameFor(source);
            // A file that rides along without a name of its own would get another one.
            return key.Path == "seed.files" && at == 0 ? $"{Path.GetFileName(source)}={name}" : text[..at] + name;
        }

        private string NameFor(string source)
        {
            var name = $"{FilesFolder}/{Path.GetFileName(source)}";
            for (var i = 2; _files.TryGetValue(name, out var other) && other != source; i++)
                name = $"{FilesFolder}/{i}-{Path.GetFileName(source)}";
            _files[name] = source;
            return name;
        }

        private static void Copy(string source, string target)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            foreach (var file in Directory.Exists(source) ? Directory.GetFiles(source) : [source])
            {
                var copy = Directory.Exists(source) ? Path.Combine(Directory.CreateDirectory(target).FullName, Path.GetFileName(file)) : target;
                File.Copy(file, copy);
                // Whoever the container runs as has to read it.
                File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }
        }

        private static ConfigMap Tree(IEnumerable<(string Path, ConfigNode Value)> values) => ConfigTree.Map(values
            .Select(value => (Words: value.Path.Split('.', 2), value.Value))
            .GroupBy(value => value.Words[0])
            .Select(section => (section.Key, (ConfigNode?)(section.Any(value => value.Words.Length > 1)
                ? Tree(section.Select(value => value.Words.Length > 1 ? (value.Words[1], value.Value) : (OwnName(section.Key), value.Value)).Where(value => value.Item1.Length > 0))
                : section.First().Value))));

        // What a key that is also a section is called in its mapping; nothing where the mapping itself says it, as that of verify.ssh asks for a log-in.
        private static string OwnName(string key) => key == "cache" ? "registry" : "";
    }
}
