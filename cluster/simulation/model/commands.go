package model

// commands are the commands that a node has, by name.
var commands = map[string]func(p *Process){
	"sv": sv, "chef-backend-ctl": ctl, "curl": curl, "ps": ps, "df": df, "du": du, "dmesg": dmesg, "openssl": openssl,
	"psql": psql, "pg_isready": pgIsReady, "pg_controldata": pgControlData, "pg_xlogdump": pgXlogDump,
}
