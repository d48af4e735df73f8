#!/bin/sh
# trigger_job.sh PROJECT BRANCH [COMMIT] - asks the deploy pipeline for a job, by one message to its topic.
#
# Written by `plumb pipeline script`; copy it into any CI. It needs a POSIX shell with either curl 7.75 or the aws CLI, and
# credentials that may do sns:Publish on the topic and nothing else: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, of a role,
# AWS_SESSION_TOKEN. REASON, if set, says why. Prints the id of the message; exits with 0 when SNS took it, 1 when it did not,
# 2 when the arguments are wrong and nothing was sent.
set -eu
LC_ALL=C
export LC_ALL

topic='@TOPIC@'
region='@REGION@'

refuse() {
	printf 'trigger_job.sh: %s\n' "$1" >&2
	exit 2
}

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	refuse 'usage: trigger_job.sh PROJECT BRANCH [COMMIT]'
fi
project=$1
branch=$2
commit=${3-}

case $project in
'' | -* | *[!a-z0-9-]*) refuse 'PROJECT is of a-z, 0-9 and -' ;;
esac
if [ ${#project} -gt 63 ]; then refuse 'PROJECT has at most 63 characters'; fi
case $branch in
'' | -* | /* | .* | */ | *. | *..* | *//* | */.* | *.lock | *.lock/* | *[!A-Za-z0-9._/-]*)
	refuse 'BRANCH is no branch that the pipeline takes'
	;;
esac
if [ ${#branch} -gt 200 ]; then refuse 'BRANCH has at most 200 characters'; fi
case $commit in
*[!0-9a-f]*) refuse 'COMMIT is the whole id of a commit, in lower case' ;;
esac
case ${#commit} in
0 | 40 | 64) ;;
*) refuse 'COMMIT is the whole id of a commit' ;;
esac

# All that stands in the JSON is what the pipeline takes, and needs no escaping: the rest of a reason becomes _.
reason=$(printf '%s' "${REASON-}" | tr '\n\t' '  ' | tr -c 'A-Za-z0-9 ._/:@,#+=-' '_' | cut -c1-200)
message="{\"project\":\"$project\",\"branch\":\"$branch\""
if [ -n "$commit" ]; then message="$message,\"commit\":\"$commit\""; fi
if [ -n "$reason" ]; then message="$message,\"reason\":\"$reason\""; fi
message="$message}"

endpoint=${AWS_ENDPOINT_URL_SNS-${AWS_ENDPOINT_URL-}}

# Whether curl is there, signs, and signs the token of a role too, which it does since 7.87.
curl_signs() {
	if [ -z "${AWS_ACCESS_KEY_ID-}" ] || [ -z "${AWS_SECRET_ACCESS_KEY-}" ]; then return 1; fi
	version=$(curl --version 2>/dev/null | sed -n '1s/^curl \([0-9]*\)\.\([0-9]*\).*/\1 \2/p') || return 1
	major=${version%% *}
	minor=${version##* }
	if [ -z "$major" ]; then return 1; fi
	if [ "$major" -gt 7 ]; then return 0; fi
	if [ "$major" -lt 7 ]; then return 1; fi
	if [ -n "${AWS_SESSION_TOKEN-}" ]; then [ "$minor" -ge 87 ]; else [ "$minor" -ge 75 ]; fi
}

# Keys go through the standard input: arguments are seen by every process of the machine.
publish_by_curl() {
	case ${AWS_ACCESS_KEY_ID}${AWS_SECRET_ACCESS_KEY}${AWS_SESSION_TOKEN-} in
	*[!A-Za-z0-9/+=_.-]*) refuse 'the AWS credentials in the environment are none' ;;
	esac
	quoted=$(printf '%s' "$message" | sed 's/"/\\"/g')
	{
		printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
		if [ -n "${AWS_SESSION_TOKEN-}" ]; then
			printf 'header = "x-amz-security-token: %s"\n' "$AWS_SESSION_TOKEN"
		fi
		printf 'data-urlencode = "Message=%s"\n' "$quoted"
	} | curl --config - --silent --show-error --max-time 60 --aws-sigv4 "aws:amz:$region:sns" \
		--data-urlencode 'Action=Publish' --data-urlencode 'Version=2010-03-31' \
		--data-urlencode "TopicArn=$topic" "${endpoint:-https://sns.$region.@DOMAIN@}/"
}

if curl_signs; then
	if ! answer=$(publish_by_curl); then exit 1; fi
	id=$(printf '%s' "$answer" | tr -d '\n' | sed -n 's/.*<MessageId>\([0-9A-Za-z-]*\)<.*/\1/p')
	if [ -z "$id" ]; then
		printf 'trigger_job.sh: not taken: %s\n' "$answer" >&2
		exit 1
	fi
	printf '%s\n' "$id"
elif command -v aws >/dev/null 2>&1; then
	aws sns publish --region "$region" --topic-arn "$topic" --message "$message" --query MessageId --output text || exit 1
else
	printf 'trigger_job.sh: there is neither the aws CLI nor a curl that can sign with what is in the environment\n' >&2
	exit 1
fi
