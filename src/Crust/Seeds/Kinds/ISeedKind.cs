using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>A way of telling an installer what to do. One class each, and one line in <see cref="SeedKinds"/>.</summary>
internal interface ISeedKind
{
    /// <summary>Its name in the spec.</summary>
    SeedKind Kind { get; }

    /// <summary>Whether the user's files are cloud-configs.</summary>
    bool TakesCloudConfig { get; }

    /// <summary>The documents, and the way they go.</summary>
    /// <exception cref="CrustException">A file of the user's isn't what this kind takes; or the host lacks what is needed to hash a password.</exception>
    SeedContents Compose(SeedRequest request);
}
