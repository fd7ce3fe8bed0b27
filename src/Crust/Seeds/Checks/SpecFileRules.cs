using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Whether the spec file says what had better not stand in it.</summary>
internal static class SpecFileRules
{
    public static readonly SeedRule SecretInSpec = new("secret-in-spec", SeedSeverity.Warning, "A secret in the spec file, which others may read and which is kept in version control", "password: hunter2", "give it by its environment variable, by a file or by a file descriptor");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
        from key in SeedKeys.All()
        where key.IsSecret && request.Spec.Origins.ContainsKey(key.Path)
        let place = Place.Parse(request.Spec.WhereIs(key.Path))
        where place.Line > 0
        select SecretInSpec.At(place, $"The secret {key.Path} stands in the spec file, which others may read", $"give it in {key.Variable}");
}
