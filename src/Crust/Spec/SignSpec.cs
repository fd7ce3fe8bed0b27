namespace Crust.Spec;

/// <summary>The key that signs the provenance of images; at most one of the two is set.</summary>
internal sealed record SignSpec
{
    /// <summary>An OpenSSH key's file: a private key, or a public one whose private half ssh-agent has; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>A GPG key, as gpg takes it for `--local-user`: its fingerprint, its id, or an address; null for none.</summary>
    public string? GpgKey { get; init; }

    /// <summary>The GPG key's passphrase; null where it has none, or gpg-agent knows it. A secret.</summary>
    public Secret? Passphrase { get; init; }

    public bool IsWanted => Program is not null;

    /// <summary>The program that signs; null if nothing is signed.</summary>
    internal string? Program => Key is not null ? "ssh-keygen" : GpgKey is not null ? "gpg" : null;
}
