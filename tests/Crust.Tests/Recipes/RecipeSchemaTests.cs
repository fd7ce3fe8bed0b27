using Crust.Recipes;
using Crust.Storage;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Recipes;

/// <summary>Python's jsonschema is asked: what editors use agrees with the reader.</summary>
public sealed class RecipeSchemaTests
{
    // The recipes one after the other, each with its first error.
    private const string Validate = """
        import json, sys, yaml, jsonschema
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for path in sys.argv[2:]:
            for error in list(validator.iter_errors(yaml.safe_load(open(path))))[:1]:
                print(path, error.json_path, error.message)
        """;

    private static readonly string Shipped = Path.Combine(Folders.BuilderBesideProgram, "recipes");

    [Test]
    public void The_schema_in_the_docs_is_that_of_the_code() => RepositoryFile.MustEqual("docs/recipe.schema.json", RecipeSchema.ToJson());

    [Test]
    public async Task Each_shipped_recipe_is_valid() => Assert.That(await ErrorsOfAsync(Directory.GetFiles(Shipped)), Is.Empty);

    [TestCase("summary:", "sumary:")]
    [TestCase("url: https", "url: http")]
    [TestCase("archive: tar.gz", "archive: rar")]
    [TestCase("mode: '755'", "mode: '4755'")]
    [TestCase("mode: '755'", "for: everything")]
    [TestCase("groups: [docker]", "groups: [Docker]")]
    [TestCase("name: docker.socket", "name: docker")]
    [TestCase("wantedBy: sockets.target", "startedBy: sockets.target")]
    [TestCase("amd64:", "x86:")]
    [TestCase("docker: 803d", "docker: 803")]
    public async Task What_the_reader_refuses_is_not_valid(string what, string instead)
    {
        var folder = Directory.CreateTempSubdirectory("crust-recipes-").FullName;
        try
        {
            var path = Path.Combine(folder, "docker.yaml");
            var text = File.ReadAllText(Path.Combine(Shipped, "docker.yaml"));
            Assert.That(text, Does.Contain(what));
            File.WriteAllText(path, text.Replace(what, instead));

            Assert.That(() => RecipeReader.Read(File.ReadAllText(path), path), Throws.TypeOf<CrustException>());
            Assert.That(await ErrorsOfAsync([path]), Is.Not.Empty);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> ErrorsOfAsync(string[] recipes)
    {
        var tools = new ToolBox(["/usr/bin", "/bin"], Logger.None);
        var result = await tools.RunAsync(ToolCommand.Of("python3", ["-c", Validate, RepositoryFile.PathOf("docs/recipe.schema.json"), .. recipes]), CancellationToken.None);
        return result.Output;
    }
}
