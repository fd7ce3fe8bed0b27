using Crust.Seeds.Documents;
using Crust.Seeds.Secrets;

namespace Crust.Seeds.Checks;

/// <summary>Whether the spec file says what had better not stand in it.</summary>
internal static class SpecFileRules
{
    public static readonly SeedRule SecretInSpec = new("secret-in-spec", SeedSeverity.Warning, "A secret in the spec file, which others may read and which is kept in version control",
        "password: hunter2", "give it by its environment variable, by a file or by a file descriptor");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
        from secret in SpecSecrets.In(request.Spec)
        let key = secret.Key
        where request.Spec.Origins.ContainsKey(key.Path)
        let place = Place.Parse(request.Spec.WhereIs(key.Path))
        where place.Line > 0 && (key.IsSecret || !key.Path.EndsWith("File", StringComparison.Ordinal))
        select SecretInSpec.At(place, key.IsSecret ? $"The secret {key.Path} stands in the spec file, which others may read"
            : $"{key.Path} has a secret in it, and stands in the spec file, which others may read",
            key.Variable is { } variable ? $"give it in {variable}" : $"give it on the command line ({key.Option}) from where it is kept");
}
