using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Xml.Linq;
using Crust.Reports;

namespace Crust.Tests.Reports;

/// <summary>The JSON Schema of a manifest, made of the types that write it and their documentation.</summary>
internal static class ManifestSchema
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Dictionary<string, XElement> Documentation = XElement.Load(Path.Combine(AppContext.BaseDirectory, "Crust.xml"))
        .Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);

    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Crust's manifest",
        };
        var root = (JsonObject)ManifestJson.Readable.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe });
        foreach (var (name, value) in root.ToArray())
        {
            root.Remove(name);
            schema[name] = value;
        }

        return schema.ToJsonString(Readable) + "\n";
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema)
            return node;
        var described = new JsonObject();
        if (DescriptionOf(context) is { } text)
            described["description"] = text;
        foreach (var (name, value) in schema.ToArray())
        {
            schema.Remove(name);
            // The exporter points to where it has met a type first, by a path; that is right, and stays.
            described[name] = value;
        }

        return described;
    }

    private static string? DescriptionOf(JsonSchemaExporterContext context)
    {
        if (context.PropertyInfo is not { } property)
            return context.Path.IsEmpty ? Text(Documentation[$"T:{context.TypeInfo.Type.FullName}"].Element("summary")!) : null;
        var type = property.DeclaringType.FullName;
        var name = char.ToUpperInvariant(property.Name[0]) + property.Name[1..];
        var element = Documentation.GetValueOrDefault($"P:{type}.{name}")?.Element("summary")
            ?? Documentation.GetValueOrDefault($"T:{type}")?.Elements("param").FirstOrDefault(param => param.Attribute("name")?.Value == name);
        return element is null ? null : Text(element);
    }

    private static string Text(XElement element) => string.Join(' ', string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement see => see.Attribute("cref")?.Value.Split('.')[^1] ?? see.Value,
        _ => "",
    })).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
