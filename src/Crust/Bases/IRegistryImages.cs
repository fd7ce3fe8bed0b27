using Crust.Spec;

namespace Crust.Bases;

/// <summary>Images in registries.</summary>
internal interface IRegistryImages
{
    /// <summary>An image that was pulled before; null if it has to be pulled, or its name is a tag, which may name another one by now.</summary>
    PulledImage? Find(RegistryReference image, Arch arch);

    /// <summary>Pulls an image, or finds that it was pulled before.</summary>
    /// <param name="arch">Which is taken of several.</param>
    /// <param name="how">Logins, certificates and patience.</param>
    /// <exception cref="CrustException">The registry doesn't give it, or has none for the architecture; or skopeo is missing.</exception>
    Task<PulledImage> PullAsync(RegistryReference image, Arch arch, PublishSpec how, CancellationToken cancellation);
}

/// <summary>An image on this host that was in a registry.</summary>
/// <param name="Archive">The path of an OCI archive with it.</param>
/// <param name="Digest">The SHA-256, in hex, of what its name stands for there: of the index over several architectures, if it is one.</param>
internal sealed record PulledImage(string Archive, string Digest);
