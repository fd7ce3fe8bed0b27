using System.Text;
using System.Text.Json.Nodes;
using Crust.Formats;
using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class SpecDocsTests
{
    [Test]
    public void The_schema_in_the_docs_is_the_schema_of_the_code() =>
        RepositoryFile.MustEqual("docs/crust.schema.json", SpecSchema.ToJson(ImageFormats.ForSpec));

    [Test]
    public void The_reference_page_names_every_key_with_its_option_variable_and_default()
    {
        var table = new StringBuilder("| key | value | default | option | variable |\n|---|---|---|---|---|\n");
        foreach (var key in SpecKeys.For(ImageFormats.ForSpec))
            table.Append(null, $"| `{key.Path}` | {Code(key.Placeholder)} | {Code(key.Default)} | {Code(key.Option)} | {Code(key.Variable)} |\n");
        table.Append('\n');
        foreach (var key in SpecKeys.For(ImageFormats.ForSpec))
            table.Append(null, $"- `{key.Path}`: {key.Description}\n");

        RepositoryFile.MustHold("docs/spec.md", "keys", table.ToString());
    }

    [Test]
    public void The_schema_has_each_key_at_its_place()
    {
        var schema = JsonNode.Parse(SpecSchema.ToJson(ImageFormats.ForSpec))!;
        foreach (var key in SpecKeys.For(ImageFormats.ForSpec))
        {
            var node = key.Path.Split('.').Aggregate(schema, (above, name) => above["properties"]![name]!);
            Assert.That(node["description"]!.GetValue<string>(), Is.EqualTo(key.Description));
        }
    }

    [Test]
    public void No_secret_has_a_default_in_the_schema() =>
        Assert.That(JsonNode.Parse(SpecSchema.ToJson(ImageFormats.ForSpec))!["properties"]!["seed"]!["properties"]!["ssh"]!["properties"]!["password"]!["default"], Is.Null);

    // A bar inside a table's cell must be escaped even in code.
    private static string Code(string? text) => text is null ? "" : $"`{text.Replace("|", "\\|")}`";
}
