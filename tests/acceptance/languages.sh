# SPDX-License-Identifier: BSD-2-Clause
#
# Interpreters: each runs a batch of its own, which ends with a status of its own and
# copies its /proc/self/maps to the file maps.batch.

case $size in
full) rounds=20000 ;;
small) rounds=500 ;;
esac

# expect_status STATUS WANTED: 0 if they are the same
expect_status()
{
	[ "$1" = "$2" ] || { echo "status $1, expected $2" >>output; return 1; }
}

job_python3()
{
	"$@" python3 "$here/batch.py" "$rounds" >output 2>&1
	expect_status $? 3
}

job_perl()
{
	"$@" perl "$here/text.pl" "$((rounds * 5))" >output 2>&1
	expect_status $? 4
}

job_ruby()
{
	"$@" ruby "$here/batch.rb" "$rounds" >output 2>&1
	expect_status $? 7
}

job_lua()
{
	"$@" lua "$here/batch.lua" "$((rounds / 100))" >output 2>&1
	expect_status $? 5
}

# A keystore to read; the runtime comes without a compiler.
make_java()
{
	keytool -genkeypair -keystore "$work/keys.jks" -storepass changeit -alias one \
		-keyalg EC -dname CN=tester -validity 1000 >/dev/null 2>&1
}

job_java()
{
	"$@" keytool -list -v -keystore "$work/keys.jks" -storepass changeit >output 2>&1 &&
		"$@" keytool -exportcert -rfc -keystore "$work/keys.jks" -storepass changeit \
			-alias one >cert 2>>output &&
		"$@" keytool -importcert -noprompt -keystore other.jks -storepass changeit \
			-alias two -file cert >>output 2>&1 &&
		"$@" keytool -list -v -keystore other.jks -storepass changeit >>output 2>&1
}

job_node()
{
	"$@" node "$here/batch.js" "$rounds" >output 2>&1
	expect_status $? 8
}

# Once with PHP's own pools, once with every request to malloc.
job_php()
{
	"$@" php "$here/batch.php" "$rounds" >output 2>&1
	expect_status $? 9 || return
	"$@" env USE_ZEND_ALLOC=0 php "$here/batch.php" "$rounds" >output.malloc 2>&1
	expect_status $? 9
}

# Byte-compiles a file of its own as well: the result must be the same to the byte.
job_emacs()
{
	"$@" emacs --batch -Q -l "$here/batch.el" --eval "(batch-main $rounds)" >output 2>&1
	expect_status $? 10
}
