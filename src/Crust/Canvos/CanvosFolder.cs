using System.Collections.Immutable;
using Crust.Canvos.Args;
using Crust.Canvos.Dockerfiles;
using Crust.Spec;

namespace Crust.Canvos;

/// <summary>
/// A folder laid out as CanvOS', read as it is: `.arg`, `user-data`, `Dockerfile`, `overlay/files`, `overlay/files-iso`, `content-*`, the edge and the cluster
/// configuration, `certs`,
/// `local-ui.tar`. What isn't there is null or empty.
/// </summary>
/// <param name="Path">The folder's absolute path.</param>
internal sealed record CanvosFolder(string Path, ArgFile Args)
{
    public const string ArgName = ".arg";

    private const string OfContent = ".zst";
    private const string LuetLogin = "spectro-luet-auth.yaml";

    private static readonly ImmutableArray<string> CertificateExtensions = [".crt", ".pem", ".cer", ".der"];

    /// <summary>What the medium brings to the agent.</summary>
    public string? UserData { get; private init; }

    /// <summary>What is done to the base image; null for nothing.</summary>
    public Dockerfile? Dockerfile { get; private init; }

    /// <summary>The folder whose files go onto the installer's root, those in its etc into provider images, too.</summary>
    public string? Overlay { get; private init; }

    /// <summary>The folder whose files go onto the medium.</summary>
    public string? MediumOverlay { get; private init; }

    /// <summary>Files of content bundles, by their paths, in ordinal order.</summary>
    public ImmutableArray<string> Content { get; private init; } = [];

    /// <summary>The edge configuration; goes to /oem/.edge_custom_config.yaml.</summary>
    public string? EdgeConfig { get; private init; }

    /// <summary>The exported cluster definition.</summary>
    public string? ClusterConfig { get; private init; }

    /// <summary>The local UI, a tar archive.</summary>
    public string? LocalUi { get; private init; }

    /// <summary>Certificates of authorities.</summary>
    public ImmutableArray<string> Certificates { get; private init; } = [];

    /// <summary>The agent's own early configuration, which CanvOS keeps beside.</summary>
    public string? StylusConfig { get; private init; }

    /// <summary>What the user should know of.</summary>
    public ImmutableArray<CanvosFinding> Findings { get; private init; } = [];

    /// <summary>Reads a folder by its `.arg` file.</summary>
    /// <exception cref="CrustException">The file can't be read, something in it or beside it is wrong or can't be built, or a file that it names isn't there.</exception>
    public static CanvosFolder Read(string argFile)
    {
        var args = ArgFile.Read(argFile);
        var path = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(argFile))!;
        var dockerfile = At("Dockerfile") is { } file ? DockerfileReader.Read(file, BuildArgs(args)) : null;
        CanvosRules.Check(args, dockerfile?.Args ?? []);
        var (content, others) = ContentIn(path);
        var userData = At("user-data");
        // CanvOS' template names one, and CanvOS itself passes over one that isn't there.
        var clusterConfig = args.Find("CLUSTERCONFIG")?.Dotenv.Value is { Length: > 0 } named ? At(named) : null;
        return new CanvosFolder(path, args)
        {
            UserData = userData,
            Dockerfile = dockerfile,
            Overlay = FolderAt("overlay/files"),
            MediumOverlay = FolderAt("overlay/files-iso"),
            Content = content,
            // CanvOS copies it if it is there, whether its name was given or is the default.
            EdgeConfig = NamedBy("EDGE_CUSTOM_CONFIG"),
            ClusterConfig = clusterConfig,
            LocalUi = At("local-ui.tar"),
            Certificates = [.. FilesIn("certs").Where(IsCertificate), .. NamedBy("PROXY_CERT_PATH") is { } one ? [one] : Array.Empty<string>()],
            StylusConfig = At("cloudconfigs/80_stylus.yaml"),
            Findings =
            [
                .. args.Findings(),
                .. others.Select(other => new CanvosFinding("A folder of content has a file that CanvOS doesn't take: it takes files that end in .zst", other,
                    "pack it as .tar.zst, or take it out of the folder")),
                .. userData is null ? [new CanvosFinding("There is no user-data: the installer will ask, or wait", path,
                    "write user-data beside .arg, as CanvOS' user-data.template has it")] : Array.Empty<CanvosFinding>(),
                .. clusterConfig is null && args.Find("CLUSTERCONFIG") is { Dotenv.Value: { Length: > 0 } missing } line
                    ? [new CanvosFinding($"CLUSTERCONFIG names a file that isn't there, and the medium gets no cluster definition: {missing}", args.WhereOf(line),
                        "put the exported definition there, or take the line out")] : Array.Empty<CanvosFinding>(),
                .. At(LuetLogin) is { } login ? [new CanvosFinding("luet's login isn't used: Kubernetes comes by recipes", login, "leave it; log in to registries with skopeo login")]
                    : Array.Empty<CanvosFinding>(),
                .. CanvosRules.Findings(args),
            ],
        };

        bool IsCertificate(string file) => CertificateExtensions.Contains(System.IO.Path.GetExtension(file));
        string? At(string name) => System.IO.Path.Combine(path, name) is var at && File.Exists(at) ? at : null;
        string? FolderAt(string name) => System.IO.Path.Combine(path, name) is var at && Directory.Exists(at) ? at : null;
        IEnumerable<string> FilesIn(string name) => FolderAt(name) is { } folder ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal) : [];

        string? NamedBy(string name)
        {
            var line = args.Find(name);
            var value = line?.Dotenv.Value ?? CanvosArgs.Find(name)!.Default;
            return value.Length == 0 ? null : System.IO.Path.GetFullPath(value, path) is var at && File.Exists(at) ? at
                : line is null || value == CanvosArgs.Find(name)!.Default ? null
                : throw new CrustException(FailureKind.BadInput, $"{name} names a file that isn't there: {value}", args.WhereOf(line),
                    "put the file there, or take the line out");
        }
    }

    /// <summary>An ARG's value: the file's, else CanvOS' default; with variables of other ARGs' defaults in it expanded.</summary>
    public string ValueOf(string name) => Args.Find(name)?.Dotenv.Value is { Length: > 0 } value ? value : DefaultOf(name);

    /// <summary>An ARG's value; null where the file doesn't say any.</summary>
    public string? GivenOf(string name) => Args.Find(name)?.Dotenv.Value is { Length: > 0 } value ? value : null;

    public bool IsSet(string name) => ValueOf(name) == "true";

    /// <summary>Where an ARG stands; the file, where it doesn't.</summary>
    public string WhereOf(string name) => Args.Find(name) is { } line ? Args.WhereOf(line) : $"{Args.Path}, {name}";

    /// <summary>The proxies that the file says, by the names of their variables.</summary>
    public ImmutableSortedDictionary<string, string> Proxies => CanvosRules.Proxies.Where(name => GivenOf(name) is not null)
        .ToImmutableSortedDictionary(name => name, name => GivenOf(name)!, StringComparer.Ordinal);

    /// <summary>What the folder's proxies and certificates ask of a system. A proxy with a login is the build's alone: an image shows it to everybody.</summary>
    public SiteSpec Site => new()
    {
        HttpProxy = CanvosRules.ProxyFor(Args, "HTTP_PROXY").Plain,
        HttpsProxy = CanvosRules.ProxyFor(Args, "HTTPS_PROXY").Plain,
        NoProxy = CanvosRules.ProxyFor(Args, "NO_PROXY").Plain,
        Certificates = Certificates,
        Where = $"{Path}, certs",
    };

    // What CanvOS hands on to the Dockerfile; a prefix names what is the Dockerfile's own.
    private static Dictionary<string, string> BuildArgs(ArgFile args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal) { ["DRBD_VERSION"] = CanvosArgs.Find("DRBD_VERSION")!.Default };
        foreach (var name in args.Names)
        {
            values[name.StartsWith(CanvosRules.OwnPrefix, StringComparison.Ordinal) ? name[CanvosRules.OwnPrefix.Length..] : name] = args.Find(name)!.Dotenv.Value!;
        }

        return values;
    }

    private string DefaultOf(string name)
    {
        // Earthfile lines 14-17: FIPS builds take the agents from elsewhere.
        var value = name == "SPECTRO_PUB_REPO" && IsSet("FIPS_ENABLED") ? "us-docker.pkg.dev/palette-images-fips" : CanvosArgs.Find(name)?.Default ?? "";
        if (!value.StartsWith('$'))
        {
            return value;
        }

        var end = value.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? slash : value.Length;
        return ValueOf(value[1..end]) + value[end..];
    }

    private static (ImmutableArray<string> Taken, ImmutableArray<string> Others) ContentIn(string path)
    {
        var all = Directory.EnumerateDirectories(path, "content-*").SelectMany(Directory.EnumerateFiles).Order(StringComparer.Ordinal).ToLookup(file =>
            file.EndsWith(OfContent, StringComparison.Ordinal));
        return ([.. all[true]], [.. all[false]]);
    }
}
