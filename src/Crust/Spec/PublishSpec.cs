using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>Where images are published. References are checked when something is published, since variables such as `TAG` may mean something else in other jobs.</summary>
internal sealed record PublishSpec
{
    /// <summary>The repository, `registry/path`; null for none.</summary>
    public string? Repository { get; init; }

    /// <summary>What tags begin with; null for the images' name and the build key's first digits.</summary>
    public string? Tag { get; init; }

    /// <summary>References of formats that stand over repository and tag, by the format's name.</summary>
    public ImmutableDictionary<string, string> Images { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Whether a tag is moved that names something else than an image of this name.</summary>
    public bool Overwrite { get; init; }

    /// <summary>The secret key under which a build's secrets are part of its build key: machines that share it know whether they have the same ones. Null for none.</summary>
    public Secret? KeySecret { get; init; }

    /// <summary>The file with the registries' logins, as `skopeo login` writes it; null for the usual ones.</summary>
    public string? AuthFile { get; init; }

    /// <summary>A folder with certificates of the registry's authority (`*.crt`) and the client's own (`*.cert`, `*.key`); null for the host's.</summary>
    public string? CertDir { get; init; }

    /// <summary>Whether the registry has to speak TLS with a certificate that is trusted.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>How often a call that failed for a while is tried again.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>How long a registry may take nothing and give nothing.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(10);
}
