package journal

import (
	"encoding/json"
	"strings"
	"testing"
)

// Every shape in which secrets get into logs and journals is blotted out, also
// in the strings of a record; what only looks like one stays.
func TestSecretsAreBlottedOut(t *testing.T) {
	for in, want := range map[string]string{
		// Configuration, Ruby, JSON
		`db_password = hunter2 port=1`:               `db_password = *** port=1`,
		`postgresql['db_superuser_password']='hu x'`: `postgresql['db_superuser_password']=***`,
		`{"password": "hu\"nter2", "port": 1}`:       `{"password": ***, "port": 1}`,
		`{"password":12345}`:                         `{"password":***}`,
		`user=x password=hun}ter2 host=y`:            `user=x password=*** host=y`,
		`"password": "hunter2 and no end`:            `"password": ***`,
		`TOKEN=hunter2`:                              `TOKEN=***`,
		// JSON within JSON
		`{"m":"{\"password\":\"x\",\"port\":1}"}`:                       `{"m":"{\"password\":***,\"port\":1}"}`,
		`{"m":"{\"password\":\"x\\\"y\\\\z\",\"port\":1}"}`:             `{"m":"{\"password\":***,\"port\":1}"}`,
		`{"m":"{\"n\":\"{\\\"password\\\":\\\"hunter2\\\",\\\"p\\\":1"`: `{"m":"{\"n\":\"{\\\"password\\\":***\\\",\\\"p\\\":1"`,
		// Erlang
		`[{user,"chef"},{password,"hunter2"}]`:                            `[{user,"chef"},{password,***}]`,
		`[{<<"user">>,<<"chef">>},{<<"password">>,<<"hunter2">>}]`:        `[{<<"user">>,<<"chef">>},{<<"password">>,<<***>>}]`,
		`#{<<"db_password">> => <<"hunter2">>, secret => "x", port => 1}`: `#{<<"db_password">> => <<***>>, secret => ***, port => 1}`,
		// SQL
		`STATEMENT:  ALTER ROLE r WITH LOGIN PASSWORD 'hun''ter2' VALID UNTIL 'x'`: `STATEMENT:  ALTER ROLE r WITH LOGIN PASSWORD *** VALID UNTIL 'x'`,
		`create role r encrypted password E'hun\'ter2' login`:                      `create role r encrypted password E*** login`,
		`ALTER ROLE r PASSWORD $$hunter2$$;`:                                       `ALTER ROLE r PASSWORD ***;`,
		// Commands and HTTP
		`exec: psql --password hunter2 -h x`:                          `exec: psql --password *** -h x`,
		`args: ["--admin-password", "hunter2", "--port", "1"]`:        `args: ["--admin-password", ***, "--port", "1"]`,
		`curl -H 'Authorization: Basic aHVudGVyMg==' http://x`:        `curl -H 'Authorization: Basic ***' http://x`,
		`{"headers":{"authorization":"Bearer hunter2","accept":"x"}}`: `{"headers":{"authorization":"Bearer ***","accept":"x"}}`,
		// More than one
		`postgres://u:hunter2@h/db password=x -----BEGIN RSA PRIVATE KEY-----`: `postgres://u:***@h/db password=*** ***`,
		`secrets.json: no such file; password=x NOPASSWD: ALL token: y`:        `secrets.json: no such file; password=*** NOPASSWD: ALL token: ***`,
	} {
		if got := string(new(Blotter).Line([]byte(in))); got != want {
			t.Errorf("%s became\n%s, want\n%s", in, got, want)
		}
		body, err := json.Marshal(map[string]any{"evidence": []string{"first\n" + in, "://"}})
		if err != nil {
			t.Fatal(err)
		}
		var out map[string][]string
		if err := json.Unmarshal(redact(body), &out); err != nil || out["evidence"][0] != "first\n"+want || out["evidence"][1] != "://" {
			t.Errorf("%s became %q in a record (%v)", in, out["evidence"], err)
		}
	}
	for _, in := range []string{
		`FATAL:  password authentication failed for user "chef_pgsql"`, `fe_sendauth: no password supplied`, `Permission denied (publickey,password).`,
		`cat: /etc/chef-backend/chef-backend-secrets.json: Permission denied`, `ops ALL=(root) NOPASSWD: ALL`, `DETAIL:  Password does not match for user "x".`,
		`{error,{invalid_password,Reason}}`, `{password,undefined}`, `syntax error at or near token`, `http://be1:2379/health`, `ALTER ROLE r PASSWORD NULL`,
		`psql --no-password --host x`, `authorization: denied`, `usage: --password`,
		`join-cluster 10.0.4.11 -s /root/chef-backend-secrets.json --yes`, `private_keys are in /etc`,
	} {
		if got := string(new(Blotter).Line([]byte(in))); got != in {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// A key over many lines is blotted out to its end, one of a single line alone.
func TestKeysAreBlottedOutToTheirEnd(t *testing.T) {
	in := "password=x -----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\nafter\n"
	const want = "password=*** ***\n***\n***\nafter\n"
	if got := string(new(Blotter).Text([]byte(in))); got != want {
		t.Errorf("%q", got)
	}
	in = strings.ReplaceAll(in[:len(in)-len("\nafter\n")], "\n", `\n`) + "\nafter\n"
	if got := string(new(Blotter).Text([]byte(in))); got != "password=*** ***\nafter\n" {
		t.Errorf("%q", got)
	}
}
