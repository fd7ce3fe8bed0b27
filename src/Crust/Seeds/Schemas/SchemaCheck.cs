using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Schemas.SchemaWords;

namespace Crust.Seeds.Schemas;

/// <summary>Holds a document against a schema, and says of each thing that is wrong where it is and what to do (docs/decisions/schema-check.md).</summary>
internal sealed class SchemaCheck(YamlDialect dialect)
{
    // How far a branch of anyOf or oneOf that wants another kind of value is from the document: farther than any other fault takes it.
    private const int Far = 1000;

    /// <param name="path">Where it stands, for messages; empty for a whole document.</param>
    public static ImmutableArray<Violation> Run(Schema schema, ConfigNode node, string path = "") =>
        [.. new SchemaCheck(schema.Dialect).Check(schema, node, path).DistinctBy(violation => (violation.Fault, violation.Place, violation.Path))];

    private List<Violation> Check(Schema schema, ConfigNode node, string path)
    {
        var kinds = PlainScalar.KindsOf(node, dialect);
        if (schema.Kinds is { } wanted && (wanted & kinds) == 0)
            return [WrongType(wanted, node, path)];

        var found = new List<Violation>();
        found.AddRange(CheckValues(schema, node, path));
        found.AddRange(schema.Parts("allOf").SelectMany(part => Check(part, node, path)));
        if (schema.Parts("anyOf").ToList() is { Count: > 0 } any)
            found.AddRange(CheckBranches(any, node, path, exactlyOne: false));
        if (schema.Parts("oneOf").ToList() is { Count: > 0 } one)
            found.AddRange(CheckBranches(one, node, path, exactlyOne: true));
        found.AddRange(node switch
        {
            ConfigMap map => CheckMap(schema, map, path),
            ConfigList list => CheckList(schema, list, path),
            ConfigScalar scalar => CheckText(schema, scalar, path).Concat(CheckNumber(schema, scalar, path)),
            _ => [],
        });
        if (schema.IsLenient)
            found = [.. found.Select(violation => violation.Path == path && violation.Fault is Fault.WrongValue ? violation with { IsWarning = true } : violation)];
        if (schema.IsTrue("deprecated") && found.TrueForAll(violation => violation.IsWarning))
            found.Add(new Violation(Fault.Deprecated, path, node.Place, $"{Name(path)} is deprecated", PlainText(schema.Text("deprecated_description")) ?? "look up what came in its place")
            {
                IsWarning = true,
                Distance = 0,
            });
        return found;
    }

    private Violation WrongType(ValueKinds wanted, ConfigNode node, string path) =>
        new(Fault.WrongType, path, node.Place, $"{Name(path)} is {Described(node, dialect)}, and has to be {Noun(wanted)}", HowToBecome(wanted, node))
        {
            Distance = 10,
            Given = PlainScalar.KindsOf(node, YamlDialect.Python),
        };

    private IEnumerable<Violation> CheckValues(Schema schema, ConfigNode node, string path)
    {
        foreach (var keyword in new[] { "enum", "const" })
        {
            var allowed = schema.Values(keyword).ToList();
            if (allowed.Count > 0 && !allowed.Any(value => IsEqual(value, node)) && !(dialect is YamlDialect.Go && node.IsNull))
                yield return new Violation(Fault.WrongValue, path, node.Place, $"{Name(path)} has a value that it can't have", Allowed(allowed, node)) { Distance = 50 };
        }
    }

    private IEnumerable<Violation> CheckMap(Schema schema, ConfigMap map, string path)
    {
        var keys = map.Entries.Select(entry => entry.Name).ToHashSet();
        foreach (var missing in schema.Texts("required").Where(name => !keys.Contains(name)))
            yield return new Violation(Fault.MissingKey, path, map.Place, $"{Name(path)} has no '{missing}'", $"add the key '{missing}'") { Distance = 5 };
        if (schema.Number("minProperties") is { } least && map.Entries.Length < least)
            yield return new Violation(Fault.WrongValue, path, map.Place, $"{Name(path)} has nothing in it", "fill it, or leave it out");

        var closed = schema.IsFalse("additionalProperties");
        // A closed mapping has the keys that it names itself, in JSON Schema; an open one is Crust's own, and has those of its parts, too.
        var known = (schema.IsOpen && !closed ? schema.KnownKeys() : schema.Named("properties").Select(entry => entry.Name)).ToList();
        var patterns = schema.Named("patternProperties").ToList();
        foreach (var entry in map.Entries)
        {
            var name = entry.Name ?? "?";
            var inside = ConfigTree.Join(path, entry.Key is ConfigScalar { IsSecret: true } ? "…" : name);
            var own = schema.Property(name);
            var matching = patterns.Where(pattern => Regex.IsMatch(name, pattern.Name)).Select(pattern => pattern.Schema).ToList();
            if (own is { } property)
                matching.Add(property);
            if (own?.Obsolete is { } instead)
            {
                yield return new Violation(Fault.Obsolete, inside, entry.Key.Place, $"Nothing reads '{inside}' any more", instead) { IsWarning = true };
                continue;
            }

            foreach (var violation in matching.SelectMany(part => Check(part, entry.Value, inside)))
                yield return violation.Fault is Fault.Deprecated && violation.Path == inside ? violation with { Place = entry.Key.Place } : violation;
            if (matching.Count > 0)
                continue;

            if (closed || (schema.IsOpen && !known.Contains(name)))
            {
                var near = Nearest.Find(name, known);
                // A reader newer than the schema may know it.
                var isWarning = schema.IsOpen && !(near is not null && Nearest.IsTypo(name, near));
                yield return new Violation(Fault.UnknownKey, inside, entry.Key.Place, $"There is no key '{inside}'", Suggestion(near, known)) { IsWarning = isWarning, Distance = 3 };
            }

            if (schema.Part("additionalProperties") is { } other)
            {
                foreach (var violation in Check(other, entry.Value, inside))
                    yield return violation;
            }
        }
    }

    private IEnumerable<Violation> CheckList(Schema schema, ConfigList list, string path)
    {
        if (schema.Number("minItems") is { } least && list.Items.Length < least)
            yield return new Violation(Fault.WrongValue, path, list.Place, $"{Name(path)} has too few entries: {list.Items.Length}", least <= 1 ? "fill it, or leave it out" : $"give {least}")
            {
                IsEmptyOrTwice = list.Items.IsEmpty,
            };
        if (schema.Number("maxItems") is { } most && list.Items.Length > most)
            yield return new Violation(Fault.WrongValue, path, list.Place, $"{Name(path)} has too many entries: {list.Items.Length}", $"give {most} at most");
        if (schema.IsTrue("uniqueItems"))
        {
            foreach (var twice in list.Items.Where((item, i) => list.Items.Take(i).Any(other => ConfigNode.IsSame(other, item))))
                yield return new Violation(Fault.WrongValue, path, twice.Place, $"{Name(path)} has an entry twice", "leave out one of the two") { IsEmptyOrTwice = true };
        }

        if (schema.Part("items") is { } items)
        {
            foreach (var violation in list.Items.SelectMany((item, i) => Check(items, item, $"{path}[{i}]")))
                yield return violation;
        }
    }

    private IEnumerable<Violation> CheckText(Schema schema, ConfigScalar scalar, string path)
    {
        if ((PlainScalar.KindsOf(scalar, dialect) & ValueKinds.String) == 0 || (dialect is YamlDialect.Go && scalar.IsNull))
            yield break;

        if (dialect is YamlDialect.Go && schema.Kinds is ValueKinds.String && GoScalar.Rewritten(scalar) is { } rewritten)
            yield return new Violation(Fault.Rewritten, path, scalar.Place, $"{Name(path)} is {rewritten}, which Kairos writes back in another form before it is read", "put it in quotes")
            {
                IsWarning = !schema.IsExact,
            };
        else if (schema.Text("pattern") is { } pattern && !Regex.IsMatch(scalar.Value, pattern))
            yield return new Violation(Fault.WrongValue, path, scalar.Place, $"{Name(path)} has a form that it can't have", $"write {schema.Means ?? $"something that matches {pattern}"}");
        if (schema.Number("minLength") is { } least && scalar.Value.Length < least)
            yield return new Violation(Fault.WrongValue, path, scalar.Place, $"{Name(path)} is too short: {scalar.Value.Length} characters", $"write {least} at least");
        if (schema.Number("maxLength") is { } most && scalar.Value.Length > most)
            yield return new Violation(Fault.WrongValue, path, scalar.Place, $"{Name(path)} is too long: {scalar.Value.Length} characters", $"write {most} at most");
        if (schema.Text("format") == "date" && !DateOnly.TryParseExact(scalar.Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            yield return new Violation(Fault.WrongValue, path, scalar.Place, $"{Name(path)} isn't a date", "write it in quotes as YYYY-MM-DD");
    }

    private static IEnumerable<Violation> CheckNumber(Schema schema, ConfigScalar scalar, string path)
    {
        if ((schema.Kinds ?? ValueKinds.Nothing) is var wanted && (wanted & ValueKinds.Integer) == 0
            || PlainScalar.KindOf(scalar) is not ValueKinds.Integer || PlainScalar.IntegerOf(scalar) is not { } number)
            yield break;

        if (schema.Number("minimum") is { } least && number < least)
            yield return new Violation(Fault.WrongValue, path, scalar.Place, $"{Name(path)} is too small", schema.Means is { } means ? $"write {means}" : $"write {least} at least");
        if (schema.Number("maximum") is { } most && number > most)
            yield return new Violation(Fault.WrongValue, path, scalar.Place, $"{Name(path)} is too large", schema.Means is { } means ? $"write {means}" : $"write {most} at most");
    }

    private List<Violation> CheckBranches(List<Schema> branches, ConfigNode node, string path, bool exactlyOne)
    {
        var results = branches.Select(branch => (Branch: branch, Found: Check(branch, node, path).ToList())).ToList();
        var fitting = results.Where(result => result.Found.TrueForAll(violation => violation.IsWarning)).ToList();
        if (fitting.Count == 1 || (fitting.Count > 1 && !exactlyOne))
            return fitting.MinBy(result => result.Found.Count).Found;
        if (fitting.Count > 1)
        {
            // Branches that only name keys say that these exclude each other.
            var names = fitting.SelectMany(result => result.Branch.Texts("required")).Distinct().ToList();
            return names.Count < 2 ? fitting[0].Found
                : [new Violation(Fault.WrongValue, path, node.Place, $"{Name(path)} has both {string.Join(" and ", names.Select(name => $"'{name}'"))}", "keep one of them")];
        }

        if (results.TrueForAll(result => result.Found.Exists(violation => IsAnotherKind(violation, path))))
            return [WrongType(results.Aggregate(ValueKinds.Nothing, (kinds, result) => kinds | (result.Branch.Kinds ?? ValueKinds.Nothing)), node, path)];
        if (results.TrueForAll(result => result.Branch.Values("enum").Any()))
            return [new Violation(Fault.WrongValue, path, node.Place, $"{Name(path)} has a value that it can't have", Allowed([.. results.SelectMany(result => result.Branch.Values("enum"))], node))
            {
                Distance = 50,
            }];
        return results.MinBy(result => result.Found.Sum(violation => IsAnotherKind(violation, path) ? Far : violation.Distance)).Found;
    }

    private static bool IsAnotherKind(Violation violation, string path) => violation.Fault is Fault.WrongType && violation.Path == path;

    private bool IsEqual(JsonElement value, ConfigNode node)
    {
        if (node is not ConfigScalar scalar)
            return false;
        var kinds = PlainScalar.KindsOf(node, dialect);
        return value.ValueKind switch
        {
            JsonValueKind.String => (kinds & ValueKinds.String) != 0 && scalar.Value == value.GetString(),
            JsonValueKind.True => (kinds & ValueKinds.Boolean) != 0 && scalar.Value.ToLowerInvariant() is "true" or "yes" or "on" or "y",
            JsonValueKind.False => (kinds & ValueKinds.Boolean) != 0 && scalar.Value.ToLowerInvariant() is "false" or "no" or "off" or "n",
            JsonValueKind.Number => PlainScalar.KindOf(scalar) is ValueKinds.Integer && PlainScalar.IntegerOf(scalar) == value.GetDouble(),
            JsonValueKind.Null => node.IsNull,
            _ => false,
        };
    }
}
