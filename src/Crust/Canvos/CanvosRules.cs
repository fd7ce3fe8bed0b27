using System.Collections.Immutable;
using Crust.Canvos.Args;
using Crust.Spec;

namespace Crust.Canvos;

/// <summary>What must hold in an `.arg` file: what can't be built is refused, never passed over.</summary>
internal static class CanvosRules
{
    /// <summary>What stands in front of names of ARGs that are the Dockerfile's own.</summary>
    public const string OwnPrefix = "CUSTOM_ARG_";

    /// <summary>The variables that name proxies.</summary>
    public static ImmutableArray<string> Proxies { get; } = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

    // Bases that CanvOS itself has no image of: its sub-folders make them.
    private static readonly ImmutableArray<string> WithoutImage = ["rhel", "sles"];

    // Distributions whose upstream publishes FIPS builds under the usual name.
    private static readonly ImmutableArray<string> Fips = ["rke2", "kubeadm-fips"];

    /// <param name="own">ARGs of the folder's Dockerfile, which CanvOS passes on.</param>
    /// <exception cref="CrustException">Something is refused; with all others that are, too, as its detail.</exception>
    public static void Check(ArgFile args, IEnumerable<string> own)
    {
        var known = own.ToHashSet(StringComparer.Ordinal);
        List<CrustException> wrong = [.. Conflicts(args), .. args.Names.SelectMany(name => Of(args, args.Find(name)!, known))];
        if (wrong.Count > 0)
        {
            var first = wrong[0];
            throw new CrustException(first.Kind, first.What, first.Where, first.Remedy)
            {
                Detail = string.Join('\n', wrong.Skip(1).Select(other => $"{other.Where}: {other.What}; to do: {other.Remedy}")),
            };
        }
    }

    /// <summary>What has no effect, though it may be meant to have one.</summary>
    public static IEnumerable<CanvosFinding> Findings(ArgFile args)
    {
        foreach (var line in Proxies.Where(name => char.IsAsciiLetterUpper(name[0])).Select(name => ProxyFor(args, name).Refused).OfType<ArgLine>())
        {
            yield return new CanvosFinding($"{line.Name} is used for the build alone, and not put into the system: it has a login, or isn't written as a URL", args.WhereOf(line),
                "write http://HOST:PORT without a login, or give it to each machine by its user-data");
        }

        foreach (var line in args.Names.Select(name => args.Find(name)!))
        {
            if (CanvosArgs.Find(line.Name) is { Fate: ArgFate.Moot } arg && line.Dotenv.Value is { Length: > 0 } value && value != arg.Default)
            {
                yield return new CanvosFinding($"{line.Name} has no effect: {arg.Meaning}", args.WhereOf(line), "leave it, or take it out");
            }
        }
    }

    /// <summary>A proxy as systems may have it: null for none, and for one that can't be put into one, with its line.</summary>
    public static (string? Plain, ArgLine? Refused) ProxyFor(ArgFile args, string name)
    {
        var line = new[] { name, name.ToLowerInvariant() }.Select(args.Find).FirstOrDefault(found => found?.Dotenv.Value is { Length: > 0 });
        if (line?.Dotenv.Value is not { } value)
        {
            return (null, null);
        }

        try
        {
            return (name == "NO_PROXY" ? SiteTypes.WithoutOf(value, "") : SiteTypes.ProxyOf(value, ""), null);
        }
        catch (CrustException)
        {
            return (null, line);
        }
    }

    private static IEnumerable<CrustException> Conflicts(ArgFile args)
    {
        if (IsOn("FIPS_ENABLED") && IsOn("UPDATE_KERNEL"))
        {
            yield return Bad("UPDATE_KERNEL", "FIPS_ENABLED and UPDATE_KERNEL exclude each other: a newer kernel isn't validated",
                "take one of the two out, as CanvOS asks for, too");
        }

        if (IsOn("INSTALL_NVIDIA_GPU_DRIVERS") && IsOn("INSTALL_AMD_GPU_DRIVERS"))
        {
            yield return Bad("INSTALL_AMD_GPU_DRIVERS", "Drivers of NVIDIA and of AMD exclude each other", "take one of the two out, as CanvOS asks for, too");
        }

        if (IsOn("FIPS_ENABLED") && Value("BASE_IMAGE").Length == 0)
        {
            yield return Bad("FIPS_ENABLED", "A FIPS build needs a base with FIPS packages, and no BASE_IMAGE is named",
                "make one with CanvOS' folder ubuntu-fips or rhel-fips, and name it in BASE_IMAGE");
        }

        if (IsOn("FIPS_ENABLED") && Value("K8S_DISTRIBUTION") is { Length: > 0 } distribution && !Fips.Contains(distribution))
        {
            yield return Bad("K8S_DISTRIBUTION", $"A FIPS build can't have {distribution}, whose programs upstream doesn't build with FIPS",
                "take rke2, or kubeadm-fips with a recipe of yours");
        }

        if (Value("OS_DISTRIBUTION") is var os && WithoutImage.Contains(os) && Value("BASE_IMAGE").Length == 0)
        {
            yield return Bad("OS_DISTRIBUTION", $"CanvOS has no base image of {os}, and no BASE_IMAGE is named",
                $"make one with CanvOS' folder for {os}, and name it in BASE_IMAGE");
        }

        string Value(string name) => args.Find(name)?.Dotenv.Value ?? "";
        bool IsOn(string name) => Value(name) == "true";
        CrustException Bad(string name, string what, string remedy) => new(FailureKind.BadInput, what, args.Find(name) is { } line ? args.WhereOf(line)
            : $"{args.Path}, {name}", remedy);
    }

    private static IEnumerable<CrustException> Of(ArgFile args, ArgLine line, HashSet<string> own)
    {
        var where = args.WhereOf(line);
        var value = line.Dotenv.Value!;
        if (CanvosArgs.Find(line.Name) is not { } arg)
        {
            if (line.Name.StartsWith(OwnPrefix, StringComparison.Ordinal) ? !own.Contains(line.Name[OwnPrefix.Length..]) : !own.Contains(line.Name))
            {
                yield return new CrustException(FailureKind.BadInput, $"CanvOS has no ARG '{line.Name}', and the Dockerfile doesn't declare it either", where,
                    !line.Name.StartsWith(OwnPrefix, StringComparison.Ordinal) && Nearest.Find(line.Name, CanvosArgs.All.Select(known => known.Name)) is { } near ? $"did you mean '{near}'?"
                        : $"take it out, or declare it in the Dockerfile: ARG {(line.Name.StartsWith(OwnPrefix, StringComparison.Ordinal) ? line.Name[OwnPrefix.Length..] : line.Name)}");
            }
        }
        else if (arg.IsSwitch && value is not ("" or "true" or "false"))
        {
            yield return new CrustException(FailureKind.BadInput, $"{line.Name} is '{Sanitizing.CleanText.Line(value, 60)}', neither true nor false", where,
                "write true or false");
        }
        else if (arg.Refuses(value))
        {
            yield return new CrustException(FailureKind.BadInput, arg.Name == "UBUNTU_PRO_KEY" ? $"{arg.Name}: {arg.Meaning}"
                : $"{arg.Name}={Sanitizing.CleanText.Line(value, 60)} can't be built: {arg.Meaning}", where, arg.Remedy);
        }
    }
}
