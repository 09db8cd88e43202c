#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/vtl/vtl.h"
#include "vectors.h"
#include "vtl_exceptions.h"

/* Runs one template. "" and *failed when it does not parse or run. */
static struct str run(struct arena *arena, struct str text, const json_t *context, struct vtl_input *input,
                      bool *failed, struct vtl_where *where)
{
    struct vtl_template *tpl = vtl_parse(arena, text, where);
    struct strbuf out = strbuf_in(arena, 256);
    *failed = !tpl;
    if (!tpl)
        return STR("");
    struct vtl_scope *scope = vtl_scope_new(arena);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)context, name, value)
        if (!json_is_null(value))
            vtl_scope_set(scope, str_of(name), vtl_of_json(arena, value));
    vtl_scope_set(scope, STR("util"), vtl_util());
    if (input)
        vtl_scope_set(scope, STR("input"), vtl_input(input));
    *failed = !vtl_run(tpl, scope, &vtl_limits_default, &out, where);
    return strbuf_view(&out);
}

static struct str squeeze(struct arena *arena, struct str text)
{
    struct strbuf out = strbuf_in(arena, text.len);
    text = str_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        bool blank = strchr(" \t\r\n", text.ptr[i]) != NULL;
        if (!blank || (out.len && out.ptr[out.len - 1] != ' '))
            strbuf_char(&out, blank ? ' ' : text.ptr[i]);
    }
    return strbuf_view(&out);
}

/* Every template recorded at API Gateway itself gives what AWS gave. */
static void recorded_at_aws(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    json_t *cases = vector_json(arena, "vtl/aws-apigateway-recorded.json");
    size_t i, wrong = 0;
    json_t *one;
    assert_int_equal(json_array_size(cases), 198);
    json_array_foreach(cases, i, one) {
        bool failed;
        struct vtl_where where = { 0 };
        struct str got = run(arena, json_str(one, "template"), json_object_get(one, "context"), NULL, &failed, &where);
        struct str want = json_str(one, "expected_aws");
        bool same;
        if (want.ptr && json_is_true(json_object_get(one, "ignore_whitespace")))
            same = str_eq(squeeze(arena, got), squeeze(arena, want));
        else if (want.ptr)
            same = str_eq(got, want);
        else
            same = json_equal(json_parse(arena, got, NULL), json_object_get(one, "expected_aws_json"));
        if (failed || !same) {
            wrong++;
            printf("%s: %s [%.*s %d:%d]\n  got  [%.*s]\n  want [%.*s]\n", json_string_value(json_object_get(one, "name")),
                   json_string_value(json_object_get(one, "template")), STR_FMT(where.message), where.line,
                   where.column, STR_FMT(got), STR_FMT(want));
        }
    }
    printf("recorded at AWS: %zu of 198\n", 198 - wrong);
    assert_int_equal(wrong, 0);
    arena_free(arena);
}

static const struct {
    const char *name, *template, *body, *want;
} rows[] = {
    { "input.body is the payload", "$input.body", "{\"a\":1}", "{\"a\":1}" },
    { "no payload reads as {}", "$input.body", "", "{}" },
    { "input.body.some on JSON text is empty", "[$input.body.some]", "{\"some\":1}", "[]" },
    { "input.json quotes strings", "$input.json('$.a')", "{\"a\":\"x\"}", "\"x\"" },
    { "input.json of what is missing is two quotes", "$input.json('$.b')", "{\"a\":\"x\"}", "\"\"" },
    { "input.json('$') is compact", "$input.json('$')", "{ \"a\" : [1, 2] }", "{\"a\":[1,2]}" },
    { "input.path prints bare text", "$input.path('$.a')", "{\"a\":\"x\"}", "x" },
    { "a map prints as Java's", "$input.path('$')", "{\"bigger\":\"dict\",\"to\":\"test\"}", "{bigger=dict, to=test}" },
    { "a list prints as JSON", "$input.path('$')", "[{\"foo\":\"bar\"}]", "[{\"foo\":\"bar\"}]" },
    { "a list in a map prints as JSON", "$input.path('$')", "{\"a\":[{\"nested\":\"bar\"}]}", "{a=[{\"nested\":\"bar\"}]}" },
    { "missing equals the empty string", "#if($input.path('$.x') == \"\")none#end", "{}", "none" },
    { "loops over a payload", "#foreach($p in $input.path('$.pets'))$p.id#if($foreach.hasNext),#end#end",
      "{\"pets\":[{\"id\":1},{\"id\":2}]}", "1,2" },
    { "size of a payload's list", "$input.path('$.pets').size()", "{\"pets\":[1,2,3]}", "3" },
    { "params by name: path first", "$input.params('id') $input.params('q') $input.params('X-H') [$input.params('no')]",
      "", "7 two head []" },
    { "all parameters", "#foreach($t in $input.params().keySet())$t:#foreach($n in $input.params().get($t).keySet())$n"
      "=$input.params().get($t).get($n);#end#end", "", "path:id=7;querystring:q=two;header:X-H=head;" },
    { "escapeJavaScript escapes the slash too", "$util.escapeJavaScript($input.path('$.a'))",
      "{\"a\":\"*/* \\\"x\\\" 'y' \\u00e9\\n\"}", "*\\/* \\\"x\\\" \\'y\\' \\u00E9\\n" },
    { "undoing the quote as AWS advises", "$util.escapeJavaScript($input.path('$.a')).replaceAll(\"\\\\'\",\"'\")",
      "{\"a\":\"it's\"}", "it's" },
    { "urlEncode is form encoding, recorded", "$util.urlEncode($input.body)", "{\"some\": \"value\"}",
      "%7B%22some%22%3A+%22value%22%7D" },
    { "urlDecode", "$util.urlDecode('a%20b+c')", "", "a b c" },
    { "base64", "$util.base64Encode('hello') $util.base64Decode('aGVsbG8=')", "", "aGVsbG8= hello" },
    { "parseJson and navigate", "#set($e = $util.parseJson($input.path('$.errorMessage')))$e.key2.arr[0]",
      "{\"errorMessage\":\"{\\\"key2\\\":{\\\"arr\\\":[\\\"z\\\"]}}\"}", "z" },
    { "integer division", "#set($a = 7 / 2)$a", "", "3" },
    { "string concatenation", "#set($a = 'x' + 1)$a", "", "x1" },
    { "== of different classes compares texts", "#if(1 == '1')yes#end#if(true == 'true')yes#end#if($input.path('$.n') == '5')yes#end",
      "{\"n\":5}", "yesyesyes" },
    { "a list's contains is Java's equals", "#set($l = [1, 'a'])$l.contains('1') $l.contains(1)", "", "false true" },
    { "integers grow beyond a long", "#set($x = 9223372036854775807 + 1)$x #set($y = 9223372036854775807 * 10)$y", "",
      "9223372036854775808 92233720368547758070" },
    { "digits of a payload's integer stay", "$input.path('$.id') $input.json('$.id') $input.json('$')",
      "{\"id\":12345678901234567890,\"e\":1.10}", "12345678901234567890 12345678901234567890 "
      "{\"id\":12345678901234567890,\"e\":1.10}" },
    { "doubles print as Java's", "$input.path('$.a') $input.path('$.b') $input.path('$.c') $input.path('$.d')",
      "{\"a\":1.10,\"b\":1e7,\"c\":0.0001,\"d\":-3.0}", "1.1 1.0E7 1.0E-4 -3.0" },
    { "division by zero is nothing", "[#set($x = 1 / 0)$x][#set($y = 1 % 0)$y]", "", "[][]" },
    { "break leaves two loops", "#foreach($i in [1..3])#foreach($j in [1..3])$i$j #if($j == 2)#break($foreach.parent)#end#end#end", "",
      "11 12 " },
    { "break at the top ends the output", "a#break b", "", "a" },
    { "string methods", "#set($s = 'Hello')$s.hashCode() $s.lastIndexOf('l') $s.lastIndexOf('l', 2) $s.startsWith('l', 2) "
      "$s.compareToIgnoreCase('hello') $s.toCharArray().size() $s.valueOf(1.5) $s.subSequence(1, 3)", "",
      "69609650 3 2 true 0 5 1.5 el" },
    { "list methods", "#set($l = [1, 2, 3, 2])$l.lastIndexOf(2) $l.containsAll([1, 3]) $l.removeAll([2]) $l $l.retainAll([3]) $l", "",
      "3 true true [1, 3] true [3]" },
    { "map methods", "#set($m = {'a': 1})$m.putIfAbsent('a', 2) [$!m.putIfAbsent('b', 3)] $m $m.clear()$m.size()", "",
      "1 [] {a=1, b=3} 0" },
    { "define is late", "#set($x = 1)#define($d)$x#end#set($x = 2)$d", "", "2" },
    { "macro in a macro", "#macro(in $a)<$a>#end#macro(out $b)#in($b)#in('z')#end#out('y')", "", "<y><z>" },
    { "stop ends everything", "a#foreach($i in [1..3])$i#if($i == 2)#stop#end#end c", "", "a12" },
    { "a template in the payload is data", "$input.path('$.a')|$input.json('$.a')", "{\"a\":\"#set($x=1)$x ${util}\"}",
      "#set($x=1)$x ${util}|\"#set($x=1)$x ${util}\"" },
    { "reflection is nothing", "[$input.class.forName('java.lang.Runtime')][$class.inspect('x')][$util.getClass().getClassLoader()]"
      "[#set($s = 'x')$s.class.name][$s.getClass().forName('java.lang.Runtime').exec('id')][$input.params().class]", "",
      "[][][][][][]" },
    { "escapeJavaScript of what JavaScript takes for a line end", "$util.escapeJavaScript($input.path('$.a'))",
      "{\"a\":\"'\\u2028\"}", "\\'\\u2028" },
    { "no JSON is no object", "[$input.path('$.a')][$input.json('$')]", "not json", "[][\"\"]" },
    { "a name that occurs twice is no JSON", "[$input.path('$.a')]", "{\"a\":1,\"a\":2}", "[]" },
    { "a loop runs 1,000 times", "#set($n = 0)#foreach($i in [1..1001])#set($n = $n + 1)#end$n", "", "1000" },
    { "macro", "#macro(hi $who)Hello $who!#end#hi('you')#hi('me')", "", "Hello you!Hello me!" },
    { "unparsed content", "#[[$x #if]]#", "", "$x #if" },
    { "break", "#foreach($i in [1..9])$i#if($i == 3)#break#end#end", "", "123" },
    { "a hyphen belongs to the name", "#set($h = {})#set($h.Access-Control = 'x')$h.Access-Control", "", "x" },
};

static void templates(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vtl_map *path = vtl_map_new(arena), *query = vtl_map_new(arena), *header = vtl_map_new(arena);
        vtl_map_put(path, STR("id"), vtl_text(STR("7")));
        vtl_map_put(query, STR("q"), vtl_text(STR("two")));
        vtl_map_put(header, STR("X-H"), vtl_text(STR("head")));
        struct vtl_input input = { .arena = arena, .body = str_of(rows[i].body), .path = vtl_map_value(path),
                                   .querystring = vtl_map_value(query), .header = vtl_map_value(header) };
        bool failed;
        struct vtl_where where = { 0 };
        struct str got = run(arena, str_of(rows[i].template), NULL, &input, &failed, &where);
        if (failed || !str_is(got, rows[i].want))
            fail_msg("%s: got [%.*s] want [%s] %.*s", rows[i].name, STR_FMT(got), rows[i].want,
                     STR_FMT(where.message));
    }
    arena_free(arena);
}

static const struct {
    const char *name, *template;
    const char *message;
    int line, column;
} refused[] = {
    { "#if without #end", "a\n#if(true)b", "#end expected", 2, 11 },
    { "#end without a block", "a#end", "#end, #else or #elseif without a block", 1, 6 },
    { "open expression", "#set($a = )", "unexpected ')'", 1, 11 },
    { "open string", "#set($a = 'x)", "string without end", 1, 14 },
    { "reading files is not available", "x\n  #parse('/etc/passwd')", "#parse is not available", 2, 9 },
    { "include neither", "#include('/etc/passwd')", "#include is not available", 1, 9 },
    { "evaluate neither", "#evaluate('$x')", "#evaluate is not available", 1, 10 },
    { "parseJson of no JSON ends the run", "ab$util.parseJson('{')", NULL, 1, 3 },
    { "a loop of loops ends at the step limit",
      "#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])x#end#end#end",
      "the template takes too many steps", 0, 0 },
    { "a range of billions ends too", "#set($x = [1..9999999999])", "the template takes too many steps", 0, 0 },
    { "doubling a string ends too", "#set($s = 'xxxxxxxxxxxxxxxx')#foreach($i in [1..40])#set($s = \"$s$s\")#end", NULL, 0, 0 },
    { "a block that refers to itself ends", "#define($a)$a#end$a", NULL, 0, 0 },
    { "macros that call each other end", "#macro(a)#b()#end#macro(b)#a()#end#a()", NULL, 0, 0 },
    { "a macro that calls itself ends", "#macro(a)x#a()#end#a()", "macros call each other too deeply", 0, 0 },
    { "a list that doubles ends", "#set($l = [1, 2, 3, 4])#foreach($i in [1..1000])$l.addAll($l)#end", NULL, 0, 0 },
    { "base64Decode of no base64 ends the run", "$util.base64Decode('%%%')", "$util.base64Decode: not base64", 1, 1 },
    { "parseJson of 10,000 levels ends the run", "#set($s = '[')#foreach($i in [1..14])#set($s = \"$s$s\")#end$util.parseJson($s)",
      "$util.parseJson: nested too deeply at line 1, column 1001", 0, 0 },
    { "deep parentheses are refused", NULL, NULL, 0, 0 },
};

static void refusals(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct strbuf deep = strbuf_in(arena, 100000);
        strbuf_add(&deep, STR("#set($x = "));
        for (int n = 0; n < 50000; n++)
            strbuf_char(&deep, '(');
        bool failed;
        struct vtl_where where = { 0 };
        run(arena, refused[i].template ? str_of(refused[i].template) : strbuf_view(&deep), NULL, NULL, &failed, &where);
        if (!failed)
            fail_msg("%s: passed", refused[i].name);
        if (refused[i].message && !str_is(where.message, refused[i].message))
            fail_msg("%s: says %.*s", refused[i].name, STR_FMT(where.message));
        if (refused[i].line && (where.line != refused[i].line || where.column != refused[i].column))
            fail_msg("%s: at %d:%d", refused[i].name, where.line, where.column);
    }
    arena_free(arena);
}

static int exception(const char *file, const char *name)
{
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (!strcmp(exceptions[i].file, file) && !strcmp(exceptions[i].name, name))
            return (int)i;
    return -1;
}

/* Other engines' cases: each comes out as there, or stands in vtl_exceptions.h; and nothing stands there in vain. */
static void other_engines(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t cases;
    } files[] = { { "airspeed.json", 208 }, { "velocityjs.json", 121 } };
    static bool used[COUNT(exceptions)];
    size_t wrong = 0;
    for (size_t f = 0; f < COUNT(files); f++) {
        struct arena *arena = arena_new(65536);
        json_t *cases = vector_json(arena, str_concat(arena, STR("vtl/"), str_of(files[f].file)).ptr), *one;
        size_t i, tried = 0;
        json_array_foreach(cases, i, one) {
            bool failed;
            struct vtl_where where;
            struct str want = json_str(one, "expected");
            const char *name = json_string_value(json_object_get(one, "name"));
            if (!want.ptr || json_object_get(one, "engine_config"))
                continue;
            tried++;
            struct str got = run(arena, json_str(one, "template"), json_object_get(one, "context"), NULL, &failed, &where);
            if (!failed && str_eq(str_trim(got), str_trim(want)))
                continue;
            int known = exception(files[f].file, name);
            if (known >= 0)
                used[known] = true;
            else
                print_error("%s: %s: %s\n  got  [%.*s]\n  want [%.*s]\n", files[f].file, name,
                            json_string_value(json_object_get(one, "template")), STR_FMT(got), STR_FMT(want));
            wrong += known < 0;
        }
        assert_int_equal(tried, files[f].cases);
        arena_free(arena);
    }
    for (size_t i = 0; i < COUNT(exceptions); i++)
        if (!used[i])
            fail_msg("%s: %s comes out as there: take it off the list", exceptions[i].file, exceptions[i].name);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_at_aws),
        cmocka_unit_test(templates),
        cmocka_unit_test(refusals),
        cmocka_unit_test(other_engines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
