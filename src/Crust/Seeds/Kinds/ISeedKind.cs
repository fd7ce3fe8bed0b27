using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>A way of telling an installer what to do. One class each, and one line in <see cref="SeedKinds"/>.</summary>
internal interface ISeedKind
{
    /// <summary>Its name in the spec.</summary>
    SeedKind Kind { get; }

    /// <summary>Reads a file of the user's.</summary>
    /// <param name="path">What the user calls it, for messages.</param>
    /// <returns>The same as a tree, where this kind takes YAML; else null.</returns>
    /// <exception cref="CrustException">It isn't what this kind takes.</exception>
    ConfigMap? Read(string text, string path);

    /// <summary>The documents, and the way they go.</summary>
    /// <exception cref="CrustException">The user's files can't be used; or the host lacks what is needed to hash a password.</exception>
    SeedContents Compose(SeedRequest request);
}
